# What makes a host a virtual machine of the test driver's.
{ lib, config, ... }:
{
  virtualisation = {
    # two guests and the rest, or the rest alone
    memorySize = lib.mkDefault (if config.services.choiros.microvm.enable then 4096 else 2048);
    diskSize = lib.mkDefault 4096;
    # mounts with mapped ids need a store of its own: neither 9p nor an overlay can be mapped
    useNixStoreImage = true;
    writableStore = false;
  };
}
