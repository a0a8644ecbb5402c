# Backups by the clock of the slots in use: which these are is known at run time alone.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  folder = (import ../lib/plan.nix { inherit lib; }).folders.slots;
  backup = pkgs.writeShellApplication {
    name = "choiros-backup-slots";
    runtimeInputs = [ config.systemd.package ];
    text = builtins.readFile ../programs/backup-slots.sh;
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.backup.enable && cfg.slots > 0) {
    systemd.services.choiros-backup-slots = {
      description = "Backup of the slots' data";
      startAt = cfg.backup.schedule;
      startLimitIntervalSec = 0;
      unitConfig.RequiresMountsFor = [ folder ];
      serviceConfig = import ../lib/hardening.nix // {
        Type = "oneshot";
        ExecStart = "${lib.getExe backup} ${folder}";
        # each of them has its own
        TimeoutStartSec = "infinity";
        PrivateNetwork = true;
        IPAddressDeny = "any";
      };
    };
    systemd.timers.choiros-backup-slots.timerConfig = {
      Persistent = true;
      RandomizedDelaySec = "5min";
    };
  };
}
