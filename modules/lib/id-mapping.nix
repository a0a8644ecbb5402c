# Which file systems can be mounted with mapped ids, as sandboxes have /data and the store: mount_setattr(2).
{ lib }:
let
  since = {
    btrfs = "5.15";
    f2fs = "5.18";
    erofs = "5.19";
    squashfs = "6.2";
    tmpfs = "6.3";
    virtiofs = "6.12";
  };
in
rec {
  never =
    fsType:
    lib.hasPrefix "fuse" fsType
    || lib.elem fsType [
      "9p"
      "cifs"
      "ecryptfs"
      "exfat"
      "nfs"
      "nfs4"
      "overlay"
      "ramfs"
      "smb3"
      "vboxsf"
      "vfat"
    ];
  # the first Linux that can; what isn't in the table could from the beginning
  first = fsType: since.${fsType} or "5.12";
  tooOld = kernel: fsType: lib.versionOlder kernel (first fsType);
}
