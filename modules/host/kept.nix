# Which of some paths are gone after a reboot, as far as the configuration says.
{ lib, config }:
let
  mountOf = import ../lib/mounts.nix { inherit lib config; };
  # what wipes a root at boot has no option of its own; these are its usual companions
  inherit (config.boot) initrd;
  scripts =
    map (name: initrd.${name} or "") [
      "postDeviceCommands"
      "postResumeCommands"
      "postMountCommands"
      "preLVMCommands"
    ]
    ++ map (s: s.script or "") (lib.attrValues (initrd.systemd.services or { }));
  wipes =
    script:
    builtins.match ".*(zfs rollback|zfs destroy|btrfs subvolume delete|blkdiscard).*" (
      lib.replaceStrings [ "\n" ] [ " " ] script
    ) != null;
  wiped =
    config.environment.persistence or { } != { }
    || config.preservation.enable or false
    || lib.any wipes scripts;
in
lib.filter (
  path:
  let
    mount = mountOf path;
  in
  lib.elem mount.fsType [
    "ramfs"
    "tmpfs"
  ]
  || (wiped && mount.mountPoint == "/")
)
