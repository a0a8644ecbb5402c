{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  sources = import ./sources.nix { inherit config; };
  view = import ./view.nix { inherit (cfg.backup) directory; };
  backup = pkgs.writeShellApplication {
    name = "choiros-backup";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.findutils
      pkgs.gnused
      pkgs.sqlite
      pkgs.util-linux
    ];
    text = builtins.readFile ./backup.sh;
  };
  unit = s: {
    description = "Backup of ${s.name}'s databases";
    startAt = cfg.backup.schedule;
    startLimitIntervalSec = 0;
    unitConfig.RequiresMountsFor = [
      s.folder
      cfg.backup.directory
    ];
    serviceConfig = view s // {
      Type = "oneshot";
      ExecStart = "${lib.getExe backup} ${s.folder} ${cfg.backup.directory}/${s.name} ${toString cfg.backup.keep.last} ${toString cfg.backup.keep.daily}";
      # a file that can't be read to its end holds up nothing for longer
      TimeoutStartSec = "1h";
      Nice = 10;
    };
  };
  folder = s: {
    "${cfg.backup.directory}/${s.name}" = {
      d = {
        mode = "0700";
        user = s.owner;
        group = s.owner;
      };
      # and the copies of before the workspace had a user of its own
      Z = {
        user = s.owner;
        group = s.owner;
      };
    };
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.backup.enable) {
    systemd.services = lib.listToAttrs (
      map (s: lib.nameValuePair "choiros-backup-${s.name}" (unit s)) sources
    );
    systemd.timers = lib.listToAttrs (
      map (
        s:
        lib.nameValuePair "choiros-backup-${s.name}" {
          timerConfig = {
            Persistent = true;
            RandomizedDelaySec = "5min";
          };
        }
      ) sources
    );
    systemd.tmpfiles.settings.choiros = {
      ${cfg.backup.directory}.d.mode = "0755";
    }
    // lib.mergeAttrsList (map folder sources);
  };
}
