# The file system that a folder of volumes lies on, as far as the configuration says, and whether it has project quotas.
{ lib, config }:
folder:
let
  mount = import ./mounts.nix { inherit lib config; } folder;
in
mount
// {
  quotas =
    lib.elem mount.fsType [
      "ext4"
      "xfs"
    ]
    && lib.any (option: lib.elem option mount.options) [
      "prjquota"
      "pquota"
    ];
}
