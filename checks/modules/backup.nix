{ on, says, ... }:
let
  unit = name: c: c.systemd.services."choiros-backup-${name}";
in
{
  "the hypervisor and each sandbox are backed up, as the owner of what is copied" = {
    config = on { };
    expect =
      c:
      (unit "hypervisor" c).serviceConfig.User == "choiros"
      && (unit "sandbox-live" c).serviceConfig.User == "choiros-sandbox"
      && (unit "sandbox-dev" c).startAt == [ "hourly" ];
  };
  "when, how many and where are options" = {
    config = on {
      backup = {
        schedule = "*-*-* 03:00";
        directory = "/mnt/copies";
        keep = {
          last = 7;
          daily = 30;
        };
      };
    };
    expect =
      c:
      (unit "sandbox-live" c).startAt == [ "*-*-* 03:00" ]
      && says (unit "sandbox-live" c).serviceConfig.ExecStart " /mnt/copies/sandbox-live 7 30"
      && c.systemd.tmpfiles.settings.choiros."/mnt/copies/sandbox-live".d.mode == "0700";
  };
  "what reads a sandbox's files sees them, their copies and programs, and can't be held up for ever" =
    {
      config = on { };
      expect =
        c:
        let
          backup = (unit "sandbox-live" c).serviceConfig;
          restore = c.systemd.services."choiros-restore-sandbox-live@".serviceConfig;
          own = [
            "-/var/lib/choiros/sandboxes/sandbox-live"
            "/var/lib/choiros/backups/sandbox-live"
          ];
        in
        backup.BindPaths == own
        && restore.BindPaths == own
        && backup.RootDirectory == "/run/choiros-view/%N"
        && backup.TimeoutStartSec == "1h"
        && restore.User == "choiros-sandbox";
    };
  "a restore holds back whoever would start what it restores, and knows its sources from a table" = {
    config = on { };
    expect =
      c:
      c.systemd.services."choiros-restore-sandbox-dev@".before == [ "container@sandbox-dev.service" ]
      && c.systemd.services."choiros-restore-hypervisor@".before == [ "hypervisor.service" ]
      &&
        says c.environment.etc."choiros/sources".text
          "sandbox-live /var/lib/choiros/sandboxes/sandbox-live container@sandbox-live.service sandbox";
  };
  "a backup that was missed is made up for" = {
    config = on { };
    expect = c: c.systemd.timers.choiros-backup-hypervisor.timerConfig.Persistent;
  };
  "backups can be left to something else" = {
    config = on { backup.enable = false; };
    expect = c: !(c.systemd.services ? choiros-backup-hypervisor);
  };
  "copies beside what they are copies of are refused" = {
    config = on { backup.directory = "/var/lib/choiros/sandboxes/copies"; };
    fails = "no place that outlives what it is a copy of";
  };
  "copies in memory are refused" = {
    config = on { backup.directory = "/run/copies"; };
    fails = "no place that outlives what it is a copy of";
  };
}
