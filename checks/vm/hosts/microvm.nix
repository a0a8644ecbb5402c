# The same host with microVMs, whose processors are emulated: slow, so that CI leaves these tests out by their names.
{ lib, ... }:
{
  imports = [ ./plain.nix ];
  services.choiros = {
    slots = 0;
    microvm.emulate = true;
    workspaces.sandbox = {
      isolation = "microvm";
      memoryMax = "768M";
    };
    settings.runtime.start_secs = 600;
  };
  containers = lib.genAttrs [ "sandbox-live" "sandbox-dev" ] (_: {
    timeoutStartSec = "10min";
  });
}
