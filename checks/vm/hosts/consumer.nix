# A stranger's host: the module, and a web service of their own instead of ours.
let
  web = text: {
    port = 3000;
    health.path = "/";
    config =
      { pkgs, ... }:
      {
        systemd.services.web = {
          wantedBy = [ "multi-user.target" ];
          preStart = "echo ${text} > /data/index.html";
          serviceConfig = {
            User = "sandbox";
            ExecStart = "${pkgs.python3}/bin/python3 -m http.server 3000 --directory /data";
          };
        };
      };
  };
in
{
  imports = [ ./plain.nix ];
  services.choiros.workspaces.sandbox = {
    live = web "a-page-of-my-own";
    dev = web "the-next-page";
  };
}
