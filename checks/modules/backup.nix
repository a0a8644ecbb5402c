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
  "the store is backed up as its owner, and each sandbox's volume by the program that copies volumes" =
    {
      config = on { };
      expect =
        c:
        (unit "hypervisor" c).serviceConfig.User == "choiros"
        && !((unit "sandbox-live" c).serviceConfig ? User)
        # one that failed is seen
        && !((unit "sandbox-live" c).unitConfig ? CollectMode)
        && says (unit "sandbox-live" c).serviceConfig.ExecStart " sandbox-live:backup$"
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
      && builtins.elem "/mnt/copies/sandbox-live" (unit "sandbox-live" c).serviceConfig.BindPaths
      && says (unit "hypervisor" c).serviceConfig.ExecStart "--into /mnt/copies/hypervisor --keep-last 7 --keep-daily 30"
      && c.systemd.tmpfiles.settings.choiros."/mnt/copies/sandbox-live".d.mode == "0711"
      && c.systemd.tmpfiles.settings.choiros."/mnt/copies/hypervisor".d.mode == "0700";
  };
  "what reads a sandbox's files sees its workspace's, their backups and programs, and can't be held up for ever" =
    {
      config = on {
        workspaces.team.index = 2;
      };
      expect =
        c:
        let
          backup = (unit "sandbox-live" c).serviceConfig;
          order = c.systemd.services."choiros-volume-sandbox-live@".serviceConfig;
        in
        builtins.all
          (
            s:
            builtins.elem "/var/lib/choiros/backups/sandbox-live" s.BindPaths
            && builtins.elem "-+/var/lib/choiros/backups/sandbox-live" s.NoExecPaths
            && builtins.elem "-+/var/lib/choiros/sandboxes/team-live" s.InaccessiblePaths
            && !builtins.elem "/var/lib/choiros/backups" s.BindPaths
            && s.RootDirectory == "/run/choiros-view/volume-sandbox-live"
            && s.TimeoutStartSec == "1h"
          )
          [
            backup
            order
          ];
    };
  "without backups nothing of them is in sight, and no other user's rights are taken" = {
    config = on { backup.enable = false; };
    expect =
      c:
      let
        order = c.systemd.services."choiros-volume-sandbox-live@".serviceConfig;
      in
      !builtins.elem "/var/lib/choiros/backups/sandbox-live" order.BindPaths
      && !builtins.elem "CAP_SETUID" order.CapabilityBoundingSet
      && !builtins.elem "@setuid" order.SystemCallFilter;
  };
  "a restore of the store holds back whoever would start the hypervisor" = {
    config = on { };
    expect =
      c:
      c.systemd.services."choiros-restore-hypervisor@".before == [ "choiros-hypervisor.service" ]
      && c.systemd.services."choiros-restore-hypervisor@".serviceConfig.User == "choiros";
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
      inherit (import ../../modules/lib/types.nix { inherit lib; }) folder;
      mayKeep = import ../../modules/lib/backup-place.nix { inherit lib; };
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
      "/var/lib/choiros/quota"
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
