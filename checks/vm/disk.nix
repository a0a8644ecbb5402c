# A disk of its own for the volumes of the driver's machine, with project quotas, made at the first boot.
fsType:
{ lib, pkgs, ... }:
let
  make = {
    xfs = "${pkgs.xfsprogs}/bin/mkfs.xfs";
    ext4 = "${pkgs.e2fsprogs}/bin/mkfs.ext4 -q -O quota,project -E quotatype=prjquota";
  };
in
{
  virtualisation = {
    emptyDiskImages = [ 1024 ];
    fileSystems."/var/lib/choiros" = {
      device = "/dev/vdb";
      inherit fsType;
      options = [
        "prjquota"
        "nosuid"
        "nodev"
      ];
    };
  };
  systemd.services.make-disk = {
    requiredBy = [ "var-lib-choiros.mount" ];
    before = [ "var-lib-choiros.mount" ];
    unitConfig.DefaultDependencies = false;
    requires = [ "dev-vdb.device" ];
    after = [ "dev-vdb.device" ];
    serviceConfig.Type = "oneshot";
    path = [ pkgs.util-linux ];
    script = "blkid /dev/vdb || ${make.${fsType}} /dev/vdb";
  };
  environment.systemPackages = [
    pkgs.e2fsprogs
    pkgs.linuxquota
  ];
  boot.supportedFilesystems.${fsType} = lib.mkDefault true;
}
