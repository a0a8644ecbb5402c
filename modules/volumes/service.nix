# `choiros-volume-<sandbox>@<order>`: what the hypervisor asks of a sandbox's volume, done by root, since owners and modes
# must stay. What is in a volume was made by whoever runs there: nothing but the volumes is in sight, none of them is
# executed, and the program takes names and no path.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  folder = "/var/lib/choiros/sandboxes";
  results = "/run/choiros-volumes";
  view = "choiros-view/volumes";
  # a container's unit is in the slice that NixOS gives it
  cgroup = s: "/sys/fs/cgroup/machine.slice/${s.unit}";
  program =
    s: "${lib.getExe cfg.package} volume --folder ${folder} --sandbox ${s.name} --cgroup ${cgroup s}";
  volume = pkgs.writeShellApplication {
    name = "choiros-volume-order";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.util-linux
    ];
    text = ''
      # ORDER COMMAND…: the first pass of a copy has time, and waits for whoever reads and writes besides
      quiet=()
      case $1 in prepare:*) quiet=(ionice -c 3 nice -n 19) ;; esac
      exec "''${quiet[@]}" "''${@:2}"
    '';
  };
  # A fork and a restore are renames within the folder, so it is in sight as a whole; what is other workspaces' is
  # covered. A folder for each workspace would move the data of every host there is, below containers that run.
  covered =
    s:
    lib.concatMap (other: [
      "-+${other.data}"
      "-+${folder}/.snapshots/${other.name}"
    ]) (lib.filter (other: other.workspace != s.workspace) cfg.sandboxes);
  unit = s: {
    description = "Volume of ${s.name}: %i";
    after = [
      "systemd-tmpfiles-setup.service"
      "systemd-tmpfiles-resetup.service"
    ];
    startLimitIntervalSec = 0;
    unitConfig = {
      RequiresMountsFor = [ folder ];
      # the next order has another name: one that failed has said so, and isn't kept
      CollectMode = "inactive-or-failed";
    };
    serviceConfig =
      removeAttrs (import ../hardening.nix) [
        # what has the bit in a volume keeps it in the copy; nothing there is executed, by this unit or by the host
        "RestrictSUIDSGID"
      ]
      // {
        Type = "oneshot";
        ExecStart = "${lib.getExe volume} %i ${program s} --results ${results} %i";
        # a sandbox whose copy was cut off in the middle would stay frozen
        ExecStopPost = "${program s} thaw";
        StandardOutput = "null";
        TimeoutStartSec = "1h";
        # owners, modes and times of files that aren't root's, in folders that are closed to all but their owner
        CapabilityBoundingSet = [
          "CAP_CHOWN"
          "CAP_DAC_OVERRIDE"
          "CAP_FOWNER"
          "CAP_FSETID"
        ];
        PrivateUsers = false;
        SystemCallFilter = [
          "@system-service"
          "~@privileged @resources"
          "@chown ioprio_set setpriority"
        ];
        # an empty root
        RuntimeDirectory = view;
        RuntimeDirectoryPreserve = true;
        RootDirectory = "/run/${view}";
        MountAPIVFS = true;
        PrivateMounts = true;
        ReadOnlyPaths = "+/";
        BindReadOnlyPaths = [
          "-${builtins.storeDir}"
          # where programs are on a host that has them there
          "-/usr"
          "-/bin"
          "-/lib"
          "-/lib64"
        ];
        BindPaths = [
          folder
          "${results}/${s.name}"
          "-${cgroup s}"
        ];
        ProtectControlGroups = false;
        NoExecPaths = "-+${folder}";
        InaccessiblePaths = covered s;
        UMask = "0027";
        PrivateNetwork = true;
        IPAddressDeny = "any";
      };
  };
in
{
  config = lib.mkIf cfg.enable {
    systemd.services = lib.listToAttrs (
      map (s: lib.nameValuePair "choiros-volume-${s.name}@" (unit s)) cfg.sandboxes
    );
    systemd.tmpfiles.settings.choiros = {
      "${folder}/.snapshots".d.mode = "0700";
      ${results}.d.mode = "0755";
    }
    // lib.listToAttrs (
      map (
        s:
        lib.nameValuePair "${results}/${s.name}" {
          # what it writes there belongs to the hypervisor's group
          d = {
            mode = "2750";
            group = "choiros";
          };
        }
      ) cfg.sandboxes
    );
  };
}
