_:
let
  # the one user that every NixOS has, where it isn't at hand
  surroundings = {
    users.users.root = {
      uid = 0;
      group = "root";
    };
  };
  # what sops-nix declares
  sops =
    { lib, ... }:
    {
      options.sops = lib.mkOption { type = lib.types.attrsOf lib.types.anything; };
      config.sops.secrets.metrics-token.path = "/run/secrets/metrics-token";
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
  "aws-prod with secrets asks for its metrics with the one that is decrypted, and hears of a newer one" =
    {
      config.imports = [
        (machine ../../hosts/aws-prod)
        ../../hosts/aws-prod/secrets.nix
        sops
      ];
      expect =
        c:
        c.services.choiros.metricsTokenFile == "/run/secrets/metrics-token"
        && builtins.all (
          unit: c.systemd.services ? ${builtins.replaceStrings [ ".service" ] [ "" ] unit}
        ) c.sops.secrets.metrics-token.restartUnits;
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
