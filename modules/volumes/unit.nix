# How what root does with a sandbox's volume is run, since owners and modes must stay. What is in a volume was made by
# whoever runs there: nothing but the volumes is in sight, none of them is executed, and the program takes names and no path.
{
  lib,
  config,
  pkgs,
}:
let
  cfg = config.services.choiros;
  folder = "/var/lib/choiros/sandboxes";
  results = "/run/choiros-volumes";
  # a container's unit is in the slice that NixOS gives it
  cgroup = s: "/sys/fs/cgroup/machine.slice/${s.unit}";
  backups = s: "${cfg.backup.directory}/${s.name}";
  program =
    s:
    "${lib.getExe cfg.package} volume --folder ${folder} --sandbox ${s.name} --cgroup ${cgroup s}"
    + lib.optionalString cfg.backup.enable " --backups ${backups s}";
  volume = pkgs.writeShellApplication {
    name = "choiros-volume-order";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.util-linux
    ];
    text = ''
      # ORDER COMMAND…: the first pass of a copy has time, and waits for whoever reads and writes besides
      quiet=() keep=()
      case $1 in
        prepare:*) quiet=(ionice -c 3 nice -n 19) ;;
        backup | backup:*) keep=(--keep-last ${toString cfg.backup.keep.last} --keep-daily ${toString cfg.backup.keep.daily}) ;;
      esac
      exec "''${quiet[@]}" "''${@:2}" "''${keep[@]}" "$1"
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
in
{
  inherit folder results;

  # ORDER is an order's words, MORE its options
  unit = s: order: more: {
    after = [
      "systemd-tmpfiles-setup.service"
      "systemd-tmpfiles-resetup.service"
    ];
    startLimitIntervalSec = 0;
    unitConfig.RequiresMountsFor = [
      folder
    ]
    ++ lib.optional cfg.backup.enable cfg.backup.directory;
    serviceConfig =
      removeAttrs (import ../hardening.nix) [
        # what has the bit in a volume keeps it in the copy; nothing there is executed, by this unit or by the host
        "RestrictSUIDSGID"
      ]
      // import ../empty-root.nix "choiros-view/volume-${s.name}"
      // {
        Type = "oneshot";
        ExecStart = "${lib.getExe volume} ${order} ${program s}${more}";
        # a sandbox whose copy was cut off in the middle would stay frozen
        ExecStopPost = "${program s} thaw";
        TimeoutStartSec = "1h";
        # owners, modes and times of files that aren't root's, in folders that are closed to all but their owner
        CapabilityBoundingSet = [
          "CAP_CHOWN"
          "CAP_DAC_OVERRIDE"
          "CAP_FOWNER"
          "CAP_FSETID"
        ]
        # a database in a backup is opened as its owner
        ++ lib.optionals cfg.backup.enable [
          "CAP_SETGID"
          "CAP_SETUID"
        ];
        PrivateUsers = false;
        SystemCallFilter = [
          "@system-service"
          "~@privileged @resources"
          "@chown ioprio_set setpriority"
        ]
        ++ lib.optional cfg.backup.enable "@setuid";
        RuntimeDirectoryPreserve = true;
        BindPaths = [
          folder
          "${results}/${s.name}"
          "-${cgroup s}"
        ]
        ++ lib.optional cfg.backup.enable (backups s);
        ProtectControlGroups = false;
        NoExecPaths = [ "-+${folder}" ] ++ lib.optional cfg.backup.enable "-+${backups s}";
        InaccessiblePaths = covered s;
        UMask = "0027";
      };
  };
}
