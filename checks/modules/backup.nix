{
  on,
  reckoned,
  says,
  ...
}:
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
  "copies in home folders, which the unit doesn't see, are refused" = {
    config = on { backup.directory = "/home/ada/copies"; };
    fails = "/home/ada/copies is no place that outlives";
  };
  "where copies may be" = reckoned (
    lib:
    let
      inherit (import ../../modules/types.nix { inherit lib; }) folder;
      mayKeep = import ../../modules/backup/place.nix { inherit lib; };
      all =
        expected:
        map (directory: {
          name = directory;
          ok = (folder.check directory && mayKeep directory) == expected;
        });
    in
    all true [
      "/var/lib/choiros/backups"
      "/mnt/disk-2/copies_of.choiros"
      "/srv/backups"
      "/persist/choiros"
      "/homes/choiros"
    ]
    ++ all false [
      "/"
      "/mnt"
      "/home"
      "/root/copies"
      "/run/copies"
      "/var/cache/choiros"
      "/var/lib"
      "/var/lib/choiros"
      "/var/lib/choiros/hypervisor/copies"
      "/var/lib/choiros/rollout"
      "/var/lib/nixos-containers/copies"
      "/var/lib/private/choiros"
      "/mnt/my copies"
      "/mnt/%h"
      "/mnt/../root"
      "/mnt/./copies"
      "/mnt//copies"
      "/mnt/copies/"
      "/mnt/it's"
      "copies"
      ""
    ]
  );
}
