# Which file system a path of the host lies on, as far as the configuration says: through bind mounts, and whether
# the mount stands in `fileSystems` or in `systemd.mounts`.
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
in
find 8
