{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  rollout = pkgs.writeShellApplication {
    name = "choiros-rollout";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.findutils
      pkgs.gnused
      pkgs.jq
    ];
    runtimeEnv = {
      HYPERVISOR = lib.getExe config.system.build.hypervisor;
      KIND = cfg.rollout.kind;
      PROBATION = toString cfg.rollout.probationSecs;
    };
    text = builtins.readFile ./rollout.sh;
  };
  # what it waits for at most: the gateway, dev with the new release, its rehearsal, live's stop, start and way back
  waits = 60 + 180 + 180 + 4 * 90;
in
{
  config = lib.mkIf cfg.enable {
    systemd.services.choiros-rollout = {
      description = "New releases to dev, and to live if asked to";
      wantedBy = [ "multi-user.target" ];
      # a failure of the gateway is not one of the rollout; the script waits for it, within bounds
      wants = [ "hypervisor.service" ];
      after = [
        "choiros-releases.service"
        "hypervisor.service"
      ]
      ++ map (s: s.unit) cfg.sandboxes;
      inherit (config.systemd.services.choiros-releases) restartTriggers;
      serviceConfig = import ../hardening.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${lib.getExe rollout} /etc/choiros/releases /nix/var/nix/profiles/choiros /var/lib/choiros/rollout";
        User = "choiros";
        Group = "choiros";
        StateDirectory = "choiros/rollout";
        StateDirectoryMode = "0700";
        # all workspaces at once, however many there are
        TimeoutStartSec = waits + cfg.rollout.probationSecs;
        PrivateNetwork = true;
        IPAddressDeny = "any";
      };
    };
  };
}
