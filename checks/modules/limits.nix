{
  on,
  with',
  says,
  ...
}:
let
  service = name: c: c.systemd.services.${name};
  settings = name: c: (service name c).serviceConfig;
  # volumes on a disk of their own
  disk =
    fsType: options:
    with' {
      fileSystems."/var/lib/choiros" = {
        device = "/dev/disk/by-label/choiros";
        inherit fsType;
        options = [
          "nosuid"
          "nodev"
        ]
        ++ options;
      };
    };
  # what choiros-quota is told
  table = c: c.environment.etc."choiros/limits".text;
in
{
  "each sandbox has its limits" = {
    config = on {
      workspaces.sandbox = {
        memoryMax = "512M";
        tasksMax = 99;
        cpuWeight = 50;
        cpuQuota = 150;
        ioWeight = 40;
        logRate = 77;
      };
    };
    expect =
      c:
      let
        s = settings "container@sandbox-dev" c;
      in
      s.MemoryMax == "512M"
      && s.TasksMax == 99
      && s.CPUWeight == 50
      && s.CPUQuota == "150%"
      && s.IOWeight == 40
      && s.LogRateLimitBurst == 77
      && c.containers.sandbox-dev.config.services.journald.rateLimitBurst == 77;
  };
  "what nobody has set is safe: no swap, the first to go without memory, as much processor time as nobody else wants" =
    {
      config = on { };
      expect =
        c:
        let
          s = settings "container@sandbox-live" c;
        in
        s.MemoryMax == "2G"
        && s.MemorySwapMax == 0
        && s.TasksMax == 1024
        && s.OOMScoreAdjust == 500
        && s.OOMPolicy == "continue"
        && s.CPUWeight == 100
        && s.LogRateLimitBurst == 1000
        && !(s ? CPUQuota);
    };
  "the gateway comes before all sandboxes together, in time, disk and memory" = {
    config = on { };
    expect =
      c:
      let
        machine = c.systemd.slices.machine.sliceConfig;
        system = c.systemd.slices.system.sliceConfig;
      in
      machine.MemoryMax == "80%"
      && machine.TasksMax == "80%"
      && system.CPUWeight >= 5 * machine.CPUWeight
      && system.IOWeight >= 5 * machine.IOWeight
      && system ? MemoryLow
      &&
        builtins.all
          (
            unit:
            (settings unit c).CPUWeight > 100
            && (settings unit c).MemoryLow == "128M"
            && (settings unit c).OOMScoreAdjust == -500
          )
          [
            "choiros-hypervisor"
            "caddy"
          ]
      && c.boot.kernel.sysctl."vm.oom_dump_tasks" == 0;
  };
  "a workspace's disk space is limited where the file system can" = {
    config = disk "xfs" [ "prjquota" ] {
      workspaces.sandbox = { };
      workspaces.notes = {
        index = 2;
        diskMax = "2G";
        filesMax = 5000;
      };
    };
    expect = c: [
      {
        name = "defaults";
        ok = c.services.choiros.workspaces.sandbox.diskMax == "10G";
      }
      {
        name = "one project a workspace, with its volumes and their snapshots";
        ok =
          table c == ''
            notes 3002 2147483648 5000 /var/lib/choiros/sandboxes/notes-live /var/lib/choiros/sandboxes/notes-dev /var/lib/choiros/sandboxes/.snapshots/notes-live /var/lib/choiros/sandboxes/.snapshots/notes-dev
            sandbox 2990 10737418240 1000000 /var/lib/choiros/sandboxes/sandbox-live /var/lib/choiros/sandboxes/sandbox-dev /var/lib/choiros/sandboxes/.snapshots/sandbox-live /var/lib/choiros/sandboxes/.snapshots/sandbox-dev
          '';
      }
      {
        name = "a limit that isn't held lets nothing start";
        ok =
          says (service "container@notes-live" c).script "/run/choiros-quota/notes"
          && builtins.elem "choiros-quota.service" (service "container@notes-live" c).after;
      }
      {
        name = "a changed limit restarts no sandbox";
        ok =
          !(builtins.elem "choiros-quota.service" (
            (service "container@notes-live" c).requires ++ (service "container@notes-live" c).bindsTo
          ));
      }
    ];
  };
  "it is limited on ext4, too, and on a root" = {
    config = with' {
      fileSystems."/" = {
        device = "/dev/disk/by-label/nixos";
        fsType = "ext4";
        options = [ "prjquota" ];
      };
    } { };
    expect = c: c.services.choiros.workspaces.sandbox.diskMax == "10G";
  };
  "without project quotas nothing is limited unless it is asked for" = {
    config = disk "ext4" [ ] { };
    expect =
      c:
      c.services.choiros.workspaces.sandbox.diskMax == null
      && says (table c) "sandbox 2990 0 0 "
      && !(says (service "container@sandbox-live" c).script "choiros-quota");
  };
  "a limit on ext4 that isn't mounted with project quotas is refused" = {
    config = disk "ext4" [ ] { workspaces.sandbox.diskMax = "1G"; };
    fails = ''add "prjquota" to fileSystems."/var/lib/choiros".options'';
  };
  "a number of files on btrfs is refused" = {
    config = disk "btrfs" [ "prjquota" ] { workspaces.sandbox.filesMax = 1000; };
    fails = "Put them on XFS or ext4";
  };
  "slots have the same limits, and their units set them" = {
    config = disk "xfs" [ "prjquota" ] {
      slots = 3;
      slot = {
        memoryMax = "300M";
        diskMax = "1G";
        filesMax = 500;
      };
    };
    expect =
      c:
      (settings "container@slots" c).MemoryMax == "300M"
      && (settings "container@slots" c).MemorySwapMax == 0
      && says (settings "choiros-slot@" c).ExecStart "choiros-slot"
      && builtins.elem "CAP_SYS_ADMIN" (settings "choiros-slot@" c).CapabilityBoundingSet
      && (service "choiros-slot-quotas" c).wantedBy == [ "multi-user.target" ];
  };
  "a limit for slots that their disk can't hold is refused" = {
    config = disk "ext4" [ ] { slot.diskMax = "1G"; };
    fails = "services.choiros.slot has a diskMax";
  };
  "a disk of no size is refused" = {
    config = on { workspaces.sandbox.diskMax = "0"; };
    fails = "number of bytes";
  };
}
