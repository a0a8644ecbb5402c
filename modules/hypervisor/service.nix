{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (import ../lib/plan.nix { inherit lib; }) ids;
  cfg = config.services.choiros;
  # the operator's command, which knows where the socket is
  command = pkgs.writeShellScriptBin "hypervisor" ''
    exec ${lib.getExe cfg.package} --config /etc/choiros/hypervisor.toml "$@"
  '';
in
{
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [
      command
      # its manual pages and completions, without a program that would ask for --config
      (pkgs.buildEnv {
        name = "hypervisor-manual";
        paths = [ cfg.package ];
        pathsToLink = [ "/share" ];
      })
    ];
    system.build.hypervisor = command;

    users.users.choiros = {
      isSystemUser = true;
      group = "choiros";
      uid = ids.hypervisor;
    };
    users.groups.choiros.gid = ids.hypervisor;

    systemd.services.choiros-hypervisor = {
      description = "ChoirOS hypervisor";
      # what it was called before; a switch from there finds it running
      aliases = [ "hypervisor.service" ];
      wantedBy = [ "multi-user.target" ];
      after = [
        "network.target"
        "choiros-firewall.service"
        "choiros-releases.service"
        "nftables.service"
      ];
      wants = [ "choiros-releases.service" ];
      # a switch restarts the service, and must not close the sockets for it
      stopIfChanged = false;
      restartTriggers = [ cfg.configFile ];
      notSocketActivated = true;
      serviceConfig =
        import ../lib/hardening.nix
        // {
          # a reload takes up new certificates
          Type = "notify-reload";
          ExecStart = "${lib.getExe cfg.package} serve --config /etc/choiros/hypervisor.toml";
          User = "choiros";
          Group = "choiros";
          StateDirectory = "choiros/hypervisor";
          StateDirectoryMode = "0700";
          RuntimeDirectory = "choiros";
          RuntimeDirectoryMode = "0750";
          Restart = "always";
          TimeoutStartSec = 90;
          TimeoutStopSec = 60;
          WatchdogSec = 30;
          LimitNOFILE = 65536;
          RestrictAddressFamilies = [
            "AF_UNIX"
            "AF_INET"
          ];
          IPAddressDeny = lib.mkDefault "any";
          IPAddressAllow = [
            "localhost"
            cfg.network
          ];
        }
        // lib.optionalAttrs (cfg.metricsTokenFile != null) {
          LoadCredential = "metrics-token:${cfg.metricsTokenFile}";
          # an empty line stands in while the file is missing: an optional secret stops no unit
          SetCredential = "metrics-token:\\n";
        };
    };
  };
}
