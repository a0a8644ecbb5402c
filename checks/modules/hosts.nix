{ evaluate, ... }:
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
  "the machines of a cluster have one domain and one store, know each other, and are deployed each by its own name" =
    {
      config = machine ../../hosts/cluster-a;
      expect =
        a:
        let
          all = {
            a = a.services.choiros;
            b = (evaluate (machine ../../hosts/cluster-b)).services.choiros;
            c = (evaluate (machine ../../hosts/cluster-c)).services.choiros;
          };
          names = builtins.attrNames all;
          same = value: builtins.all (name: value all.${name} == value all.a) names;
        in
        [
          {
            name = "names";
            ok = builtins.all (name: all.${name}.cluster.machine == name) names;
          }
          {
            name = "addresses";
            ok = builtins.all (
              name:
              all.${name}.cluster.peers
              == removeAttrs (builtins.mapAttrs (_: other: other.cluster.address) all) [ name ]
            ) names;
          }
          {
            name = "in common";
            ok =
              same (settings: settings.domain)
              && same (settings: settings.cluster.store.url)
              && same (settings: settings.cluster.caFile);
          }
          {
            name = "a name of its own";
            ok = a.networking.hostName == "choir-a" && a.networking.domain != all.a.domain;
          }
        ];
    };
}
