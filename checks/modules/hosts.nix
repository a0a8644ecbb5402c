_:
let
  # what sops-nix declares, and the one user that every NixOS has, where these aren't at hand
  surroundings =
    { lib, ... }:
    {
      options.sops = lib.mkOption {
        type = lib.types.attrsOf lib.types.anything;
        default = { };
      };
      config.users.users.root = {
        uid = 0;
        group = "root";
      };
    };
  machine = folder: {
    imports = [
      folder
      surroundings
    ];
  };
in
{
  "aws-prod is whole: its domain, its redirect, its ports" = {
    config = machine ../../hosts/aws-prod;
    expect =
      c:
      c.services.choiros.domain == "os.choir-ip.com"
      &&
        c.services.caddy.virtualHosts."choir-ip.com".extraConfig == "redir https://os.choir-ip.com{uri} 308"
      && !c.virtualisation.amazon-init.enable
      # the documented way in for CI
      && c.services.amazon-ssm-agent.enable
      &&
        c.networking.firewall.allowedTCPPorts == [
          80
          443
        ];
  };
  "example is whole" = {
    config = machine ../../hosts/example;
    expect =
      c:
      c.containers ? sandbox-live
      && c.services.caddy.enable
      && c.fileSystems."/var/lib/choiros".fsType == "xfs";
  };
}
