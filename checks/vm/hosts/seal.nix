# A host with a thief on it: root in a sandbox that may reach the internet, with tools of its own, beside workspaces
# whose names and members are not its business.
{ pkgs, ... }:
{
  imports = [ ./plain.nix ];
  services.choiros.workspaces = {
    thief = {
      index = 2;
      egress = "internet";
      live = {
        health.path = "/";
        config =
          { pkgs, ... }:
          {
            environment.systemPackages = [
              pkgs.iproute2
              pkgs.nix
              pkgs.python3
              pkgs.util-linux
            ];
            systemd.services.web = {
              wantedBy = [ "multi-user.target" ];
              serviceConfig.ExecStart = "${pkgs.python3}/bin/python3 -m http.server 8080 --directory /data";
            };
          };
      };
    };
    rivalry = {
      index = 3;
      members = [ "ada@rivalry.example" ];
    };
  };
  environment.systemPackages = [ pkgs.util-linux ];
}
