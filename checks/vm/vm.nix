# What makes a host a virtual machine of the test driver's.
{
  virtualisation = {
    memorySize = 2048;
    diskSize = 4096;
    # mounts with mapped ids need a store of its own: neither 9p nor an overlay can be mapped
    useNixStoreImage = true;
    writableStore = false;
  };
}
