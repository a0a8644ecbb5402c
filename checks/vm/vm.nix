# What makes a host a virtual machine of the test driver's.
{ lib, ... }:
{
  virtualisation = {
    memorySize = lib.mkDefault 2048;
    diskSize = lib.mkDefault 4096;
    # mounts with mapped ids need a store of its own: neither 9p nor an overlay can be mapped
    useNixStoreImage = true;
    writableStore = false;
  };
}
