# Backups by the clock: of each sandbox's volume as a whole, and of the hypervisor's store.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (cfg.backup) directory keep;
  volume = import ../lib/volume-unit.nix { inherit lib config pkgs; };
  store = import ./store.nix { inherit lib config; };
  sandbox =
    s:
    lib.recursiveUpdate (volume.unit (volume.ofSandbox s) "${s.name}:backup" "") {
      description = "Backup of ${s.name}'s data";
      startAt = cfg.backup.schedule;
    };
  hypervisor = {
    description = "Backup of the hypervisor's store";
    startAt = cfg.backup.schedule;
    startLimitIntervalSec = 0;
    unitConfig.RequiresMountsFor = [
      store.folder
      directory
    ];
    serviceConfig = store.view // {
      Type = "oneshot";
      ExecStart = "${store.program} backup --into ${store.copies} --keep-last ${toString keep.last} --keep-daily ${toString keep.daily}";
      TimeoutStartSec = "1h";
      Nice = 10;
    };
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.backup.enable) {
    systemd.services = {
      choiros-backup-hypervisor = hypervisor;
    }
    // lib.listToAttrs (
      map (s: lib.nameValuePair "choiros-backup-${s.name}" (sandbox s)) cfg.sandboxes
    );
    systemd.timers =
      lib.genAttrs
        (map (name: "choiros-backup-${name}") ([ "hypervisor" ] ++ map (s: s.name) cfg.sandboxes))
        (_: {
          timerConfig = {
            Persistent = true;
            RandomizedDelaySec = "5min";
          };
        });
    systemd.tmpfiles.settings.choiros = {
      ${directory}.d.mode = "0755";
      ${store.copies} = {
        d = {
          mode = "0700";
          user = "choiros";
          group = "choiros";
        };
        # and the copies of before the hypervisor had a user of its own
        Z = {
          user = "choiros";
          group = "choiros";
        };
      };
    }
    # whole trees with the owners that they have inside; who owns a database gets there to check it
    // lib.listToAttrs (
      map (s: lib.nameValuePair "${directory}/${s.name}" { d.mode = "0711"; }) cfg.sandboxes
    );
  };
}
