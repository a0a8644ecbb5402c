# What a host without /dev/kvm has for guests, and the patience for them.
{ lib, ... }:
{
  services.choiros = {
    microvm.emulate = lib.mkDefault true;
    workspaces.sandbox.memoryMax = "1G";
    settings.runtime = {
      start_secs = 600;
      hold_secs = 1800;
    };
  };
  containers = lib.genAttrs [ "sandbox-live" "sandbox-dev" ] (_: {
    timeoutStartSec = "10min";
  });
}
