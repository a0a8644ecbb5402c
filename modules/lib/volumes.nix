# What is done with a sandbox's volume: what may be asked, and the unit that root does it by, since owners and modes must
# stay. What is in a volume was made by whoever runs there: nothing but the volumes is in sight, none of them is executed,
# and the program takes names and no path.
{
  lib,
  config,
  pkgs,
}:
let
  cfg = config.services.choiros;
  inherit (import ./plan.nix { inherit lib; }) folders;
  hardening = import ./hardening.nix;
  inherit (folders)
    sandboxes
    results
    archives
    streams
    ;
  # a container's unit is in the slice that NixOS gives it
  cgroup = name: "/sys/fs/cgroup/machine.slice/container@${name}.service";
  backups = name: "${cfg.backup.directory}/${name}";
  volume = pkgs.writeShellApplication {
    name = "choiros-volume-order";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.util-linux
    ];
    text = ''
      # order|thaw FOLDER SANDBOX:ORDER [OPTION…]. SANDBOXES, in the environment, are those that the unit is for.
      folder=$2 sandbox=''${3%%:*} order=''${3#*:}
      [ "$1" = order ] || order=$1
      if [[ " $SANDBOXES " != *" $sandbox "* ]]; then
        echo "$sandbox is none of $SANDBOXES, whose volumes this unit is for" >&2
        exit 1
      fi
      program=(${lib.getExe cfg.package} volume --folder "$folder" --sandbox "$sandbox"
        --cgroup "${cgroup "$sandbox"}"${lib.optionalString cfg.backup.enable " --backups \"${backups "$sandbox"}\""} "''${@:4}")
      # the first pass of a copy has time, as a look has, and waits for whoever reads and writes besides
      quiet=()
      case $order in
        prepare:* | usage | send:*) quiet=(ionice -c 3 nice -n 19) ;;
        backup | backup:*) program+=(--keep-last ${toString cfg.backup.keep.last} --keep-daily ${toString cfg.backup.keep.daily}) ;;
      esac
      exec "''${quiet[@]}" "''${program[@]}" "$order"
    '';
  };
  run =
    verb: v: order:
    "${lib.getExe volume} ${verb} ${v.folder} ${order}";
  # of snapshots, of backups
  id = "[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}";
  orders = [
    "list"
    # how much is in it
    "usage"
    "recover"
    # but none of these
    "prune(:${id})*"
    "(prepare|remove):${id}"
    # one of its own, without a copy
    "put-back:${id}:${id}"
    # and of backups, which are the sandbox's own as well
    "backups"
    "backup:${id}"
    "import:${id}:${id}"
    "snapshot:${id}:(asked|promote|fork|restore|aside|backup)"
  ];
  replace = sources: "replace:(${lib.concatStringsSep "|" sources}):${id}:${id}";
  # whole volumes are put away, and brought back
  archive = "(archive|unarchive|discard):${id}";
  # and sent to another machine, ahead and for good
  transfer = "(send|send-last|receive):${id}";
in
{
  # What the hypervisor may ask of a sandbox's volume, as a pattern: names and ids, and no path. `sources` are the sandboxes
  # whose snapshots it may get.
  ordersOfSandbox = sources: lib.concatStringsSep "|" (orders ++ [ (replace sources) ]);
  ordersOfSlot =
    sources:
    lib.concatStringsSep "|" (
      orders
      ++ [
        (replace sources)
        archive
        transfer
      ]
    );

  # the volume of a declared sandbox
  ofSandbox = s: {
    inherit (s) name;
    folder = sandboxes;
    besides = [ ];
    sockets = [ ];
    sandboxes = [ s.name ];
    # A fork and a restore are renames within the folder, so it is in sight as a whole; what is other workspaces' is
    # covered. A folder for each workspace would move the data of every host there is, below containers that run.
    covered = lib.concatMap (other: [
      "-+${other.data}"
      "-+${other.snapshots}"
    ]) (lib.filter (other: other.workspace != s.workspace) cfg.sandboxes);
  };
  # the two volumes of the slot whose number the unit's name ends with
  ofSlot = {
    name = "s%j";
    folder = "${folders.slots}/%j";
    # where its volumes go with the last person who has it, and come from; a mount of its own, so they are copied
    besides = [ archives ];
    # there is one while the gateway waits for the unit
    sockets = [
      "-${streams}/s%j-live"
      "-${streams}/s%j-dev"
    ];
    sandboxes = [
      "s%j-live"
      "s%j-dev"
    ];
    covered = [ ];
  };

  # ORDER is a sandbox's name and, after a colon, an order's words; MORE is the program's options
  unit = v: order: more: {
    after = folders.madeBy;
    environment.SANDBOXES = toString v.sandboxes;
    unitConfig.RequiresMountsFor = [
      v.folder
    ]
    ++ v.besides
    ++ lib.optional cfg.backup.enable cfg.backup.directory;
    serviceConfig =
      removeAttrs hardening [
        # what has the bit in a volume keeps it in the copy; nothing there is executed, by this unit or by the host
        "RestrictSUIDSGID"
      ]
      // (import ./units.nix).emptyRoot "choiros-view/volume-${v.name}"
      // {
        Type = "oneshot";
        ExecStart = run "order" v order + more;
        # a sandbox whose copy was cut off in the middle would stay frozen
        ExecStopPost = run "thaw" v order;
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
        SystemCallFilter =
          hardening.SystemCallFilter
          ++ [
            "@chown ioprio_set setpriority"
          ]
          ++ lib.optional cfg.backup.enable "@setuid";
        RuntimeDirectoryPreserve = true;
        BindPaths = [
          v.folder
        ]
        ++ v.besides
        ++ map (name: "${results}/${name}") v.sandboxes
        ++ v.sockets
        ++ map (name: "-${cgroup name}") v.sandboxes
        ++ lib.optionals cfg.backup.enable (map backups v.sandboxes);
        ProtectControlGroups = false;
        NoExecPaths =
          map (path: "-+${path}") (
            [
              v.folder
            ]
            ++ v.besides
          )
          ++ lib.optionals cfg.backup.enable (map (name: "-+${backups name}") v.sandboxes);
        InaccessiblePaths = v.covered;
        UMask = "0027";
      };
  };
}
