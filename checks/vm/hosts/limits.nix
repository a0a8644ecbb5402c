# A host whose sandboxes have small limits, on a disk that can hold them: one workspace takes what it can get, beside
# another that wants to be left in peace.
{ lib, ... }:
{
  imports = [ ./plain.nix ];
  services.choiros = {
    slots = 2;
    slot.diskMax = "64M";
    workspaces = {
      sandbox = {
        memoryMax = "256M";
        tasksMax = 200;
        diskMax = "96M";
        filesMax = 2000;
      };
      team.index = 2;
    };
  };
  fileSystems."/var/lib/choiros" = {
    device = "/dev/vdb";
    fsType = lib.mkDefault "xfs";
    options = [
      "prjquota"
      "nosuid"
      "nodev"
    ];
  };
}
