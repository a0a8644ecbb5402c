# No unit of ours gives up: what keeps it from starting (a full disk) may be gone a minute later, when nobody looks.
# A sandbox's does, and is started by the next request: after a crash machined knows it for as long as its unit is
# tried again, and lets nobody register it anew.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  # at once at first, then less and less often
  patient = {
    RestartSec = 1;
    RestartSteps = 5;
    RestartMaxDelaySec = 15;
  };
in
{
  config = lib.mkIf cfg.enable {
    systemd.services = {
      choiros-hypervisor = {
        startLimitIntervalSec = 0;
        serviceConfig = patient;
      };
      caddy = lib.mkIf (cfg.ingress.kind == "caddy") {
        startLimitIntervalSec = lib.mkForce 0;
        serviceConfig = lib.mapAttrs (_: lib.mkForce) (patient // { RestartPreventExitStatus = ""; });
      };
    };
  };
}
