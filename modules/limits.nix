# What a sandbox may take of the host, so that whatever it does is noticed by itself alone; and what the host keeps for
# itself and for the gateway, whatever all sandboxes together want.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  quota = import ./lib/quota.nix { inherit lib pkgs; };
  mounts = import ./lib/mounts.nix { inherit lib config; };
  inherit (import ./lib/plan.nix { inherit lib; }) folders ids;

  # They answer for everybody, and take little.
  gateway = {
    CPUWeight = 500;
    IOWeight = 500;
    MemoryLow = "128M";
    OOMScoreAdjust = -500;
  };

  # Limits of disk space: one project a workspace, with its volumes and their snapshots, since the kernel renames nothing
  # from one project into another. Whose limits hold is told by a file here.
  held = "/run/choiros-quota";
  line =
    name: sandboxes:
    lib.concatStringsSep " " (
      [
        name
        (toString (lib.head sandboxes).id)
        (quota.numbers cfg.workspaces.${name})
      ]
      # volumes first: what comes from a folder that isn't tagged into one that is, is refused
      ++ map (s: s.data) sandboxes
      ++ map (s: s.snapshots) sandboxes
    );
  ofWorkspaces = pkgs.writeShellApplication {
    name = "choiros-workspace-quotas";
    text = ''
      failed=0
      while read -r workspace project bytes files folders; do
        # no name in it has a blank
        # shellcheck disable=SC2086
        if ${quota.command} "$project" "$bytes" "$files" $folders; then
          touch "${held}/$workspace"
        else
          rm -f "${held}/$workspace"
          failed=1
        fi
      done < ${config.environment.etc."choiros/limits".source}
      exit $failed
    '';
  };
  ofSlots = pkgs.writeShellApplication {
    name = "choiros-slot-quotas";
    text = ''
      failed=0
      for folder in ${folders.slots}/*; do
        number=''${folder##*/}
        [[ $number =~ ^[1-9][0-9]{0,3}$ ]] || continue
        ${quota.command} $((${toString ids.slots} + number)) ${quota.numbers cfg.slot} "$folder" || failed=1
      done
      exit $failed
    '';
  };
  unit = description: program: paths: {
    inherit description;
    wantedBy = [ "multi-user.target" ];
    after = folders.madeBy;
    unitConfig.RequiresMountsFor = paths;
    serviceConfig =
      import ./lib/hardening.nix
      // (import ./lib/units.nix).emptyRoot "choiros-view/${program.name}"
      // quota.serviceConfig
      // {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = lib.getExe program;
        TimeoutStartSec = "1h";
        BindPaths = paths ++ [ quota.state ];
        NoExecPaths = map (path: "-+${path}") paths;
      };
  };
  refused = name: place: {
    assertion = place.fsType == "auto" || mounts.hasQuotas place;
    message = "services.choiros.${name} has a diskMax or a filesMax, but its volumes lie on ${place.mountPoint}, of type ${place.fsType}, without project quotas. Put them on XFS or ext4 and add \"prjquota\" to fileSystems.\"${place.mountPoint}\".options (ext4 wants `tune2fs -O project,quota -Q prjquota` first, while it is not mounted), or set diskMax and filesMax to null.";
  };
  limited = lib.attrNames (lib.filterAttrs (_: quota.isLimited) cfg.workspaces);
  # A switch that changes limits runs it anew, and must leave the sandbox alone: so it isn't required, but asked for what
  # it leaves behind.
  afterQuota = s: {
    wants = [ "choiros-quota.service" ];
    after = [ "choiros-quota.service" ];
    script = lib.mkIf (quota.isLimited s.settings) (
      lib.mkBefore ''
        if [ ! -e ${held}/${s.workspace} ]; then
          echo "${s.name} is not started, since the limit of its disk space could not be set: see journalctl -u choiros-quota" >&2
          exit 1
        fi
      ''
    );
  };
  # a workspace's limits, as settings of the unit that a sandbox's container is
  share =
    limits:
    {
      MemoryMax = limits.memoryMax;
      # What it could not hold in memory would be read and written all day, in the way of all others.
      MemorySwapMax = 0;
      TasksMax = limits.tasksMax;
      CPUWeight = limits.cpuWeight;
      IOWeight = limits.ioWeight;
      # The kernel ends one process inside; the service manager there starts it again.
      OOMPolicy = "continue";
      # If the host as a whole has no memory left, a sandbox's process goes first. Nothing inside can lower it.
      OOMScoreAdjust = 500;
      # of the console
      LogRateLimitIntervalSec = "30s";
      LogRateLimitBurst = limits.logRate;
    }
    // lib.optionalAttrs (limits.cpuQuota != null) { CPUQuota = "${toString limits.cpuQuota}%"; };
in
{
  config = lib.mkIf cfg.enable {
    assertions =
      map (name: refused "workspaces.${name}" (mounts.of folders.sandboxes)) limited
      ++ lib.optional (cfg.slots > 0 && quota.isLimited cfg.slot) (
        refused "slot" (mounts.of folders.slots)
      );

    systemd.slices = {
      # the sandboxes, and what else runs in containers and virtual machines here
      machine.sliceConfig = {
        CPUWeight = lib.mkDefault 100;
        IOWeight = lib.mkDefault 100;
        # the kernel, the gateway and a person who logs in must have theirs
        MemoryMax = lib.mkDefault "80%";
        TasksMax = lib.mkDefault "80%";
      };
      system.sliceConfig = {
        CPUWeight = lib.mkDefault 500;
        IOWeight = lib.mkDefault 500;
        # a unit's counts as far as its slice's reaches
        MemoryLow = lib.mkDefault "256M";
      };
    };
    # A sandbox that is out of memory all day would have the kernel write a line for each of its processes each time.
    boot.kernel.sysctl."vm.oom_dump_tasks" = lib.mkDefault 0;

    # a workspace a line: its name, and what choiros-quota is told of it
    environment.etc."choiros/limits".text = lib.concatLines (
      lib.mapAttrsToList line (lib.groupBy (s: s.workspace) cfg.sandboxes)
    );
    systemd.tmpfiles.settings.choiros = {
      ${held}.d.mode = "0755";
      ${quota.state}.d.mode = "0700";
    }
    // lib.listToAttrs (map (s: lib.nameValuePair s.snapshots { d.mode = "0700"; }) cfg.sandboxes);

    systemd.services = {
      choiros-hypervisor.serviceConfig = gateway;
      caddy = lib.mkIf (cfg.ingress.kind == "caddy") { serviceConfig = gateway; };
      choiros-quota = unit "Limits of what the declared workspaces may store" ofWorkspaces [
        folders.sandboxes
        held
      ];
    }
    // lib.optionalAttrs (cfg.slots > 0) {
      choiros-slot-quotas = unit "Limits of what the workspaces in slots may store" ofSlots [
        folders.slots
      ];
    }
    // lib.listToAttrs (
      map (
        s:
        lib.nameValuePair "container@${s.name}" (
          { serviceConfig = share s.settings; } // lib.optionalAttrs (!s.shared) (afterQuota s)
        )
      ) cfg.containers
    );
  };
}
