# Which file system a path of the host lies on, as far as the configuration says: through bind mounts, and whether
# the mount stands in `fileSystems` or in `systemd.mounts`. And what is known of it.
{ lib, config }:
let
  # a folder bound to itself for other options is where it was
  table = lib.filter (m: m.device != m.mountPoint) all;
  all =
    map (f: {
      inherit (f) mountPoint fsType options;
      device = toString f.device;
    }) (lib.filter (f: f.enable or true) (lib.attrValues config.fileSystems))
    ++ map (m: {
      mountPoint = m.where;
      fsType = m.type or "";
      options = lib.splitString "," (m.options or "");
      device = m.what;
    }) config.systemd.mounts;
  holds = path: mount: mount.mountPoint == "/" || lib.hasPrefix "${mount.mountPoint}/" "${path}/";
  isBind = mount: lib.elem "bind" mount.options || lib.elem "rbind" mount.options;
  nearest =
    lib.foldl'
      (best: m: if lib.stringLength m.mountPoint > lib.stringLength best.mountPoint then m else best)
      {
        mountPoint = "/";
        fsType = "auto";
        options = [ ];
      };
  # a bind mount of a bind mount is common; a ring of them is a mistake, and not followed
  find =
    depth: path:
    let
      candidates = lib.filter (holds path) table;
      root = lib.filter (m: m.mountPoint == "/") candidates;
      mount = if candidates == root && root != [ ] then lib.head root else nearest candidates;
    in
    if depth > 0 && isBind mount then
      find (depth - 1) (mount.device + lib.removePrefix mount.mountPoint path)
    else
      { inherit (mount) mountPoint fsType options; };

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
{
  of = find 8;

  # which of some paths are gone after a reboot
  lost = lib.filter (
    path:
    let
      mount = find 8 path;
    in
    lib.elem mount.fsType [
      "ramfs"
      "tmpfs"
    ]
    || (wiped && mount.mountPoint == "/")
  );

  # whether disk space can be limited there, folder by folder
  hasQuotas =
    mount:
    lib.elem mount.fsType [
      "ext4"
      "xfs"
    ]
    && lib.any (option: lib.elem option mount.options) [
      "prjquota"
      "pquota"
    ];
}
