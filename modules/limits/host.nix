# What the host keeps for itself and for the gateway, whatever all sandboxes together want.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  # They answer for everybody, and take little.
  gateway = {
    CPUWeight = 500;
    IOWeight = 500;
    MemoryLow = "128M";
    OOMScoreAdjust = -500;
  };
in
{
  config = lib.mkIf cfg.enable {
    systemd.slices = {
      # the sandboxes, and what else runs in containers and virtual machines here
      machine.sliceConfig = {
        CPUWeight = lib.mkDefault 100;
        IOWeight = lib.mkDefault 100;
        # the kernel, the gateway and a person who logs in must have theirs
        MemoryMax = lib.mkDefault "80%";
        TasksMax = lib.mkDefault "80%";
      };
      system.sliceConfig = {
        CPUWeight = lib.mkDefault 500;
        IOWeight = lib.mkDefault 500;
        # a unit's counts as far as its slice's reaches
        MemoryLow = lib.mkDefault "256M";
      };
    };
    systemd.services = {
      choiros-hypervisor.serviceConfig = gateway;
      caddy = lib.mkIf (cfg.ingress.kind == "caddy") { serviceConfig = gateway; };
    };
    # A sandbox that is out of memory all day would have the kernel write a line for each of its processes each time.
    boot.kernel.sysctl."vm.oom_dump_tasks" = lib.mkDefault 0;
  };
}
