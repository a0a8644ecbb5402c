# The smallest host there is: what `nix flake init` gives a stranger, as a machine of ours that CI evaluates. Its state is
# on a disk of its own, with a file system whose files share blocks: a snapshot is there at once, and takes no room.
{
  imports = [ ../../templates/default/host.nix ];
  fileSystems."/var/lib/choiros" = {
    device = "/dev/disk/by-label/choiros";
    # with reflinks, as mkfs.xfs makes it
    fsType = "xfs";
    options = [
      # for the limits of the workspaces' disk space
      "prjquota"
      "nosuid"
      "nodev"
    ];
  };
}
