# What keeps serving, or serves again, without a person: after a full disk, and until the last response before a reboot.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  units = import ./lib/units.nix;
  # at once at first, then less and less often
  patient = {
    RestartSec = 1;
    RestartSteps = 5;
    RestartMaxDelaySec = 15;
  };

  # Caddy's grace_period, and a little
  caddyStops = 35;
  drain = pkgs.writeShellApplication {
    name = "choiros-drain";
    runtimeInputs = [ config.systemd.package ];
    text = ''
      # a deployment that changes this unit stops nothing
      if [ "$(systemctl is-system-running)" = stopping ]; then
        systemctl stop choiros-hypervisor.service
      fi
    '';
  };
in
{
  config.systemd.services = lib.mkIf cfg.enable (
    {
      # No unit of ours gives up: what keeps it from starting (a full disk) may be gone a minute later, when nobody
      # looks. A sandbox's does, and is started by the next request: after a crash machined knows it for as long as its
      # unit is tried again, and lets nobody register it anew.
      choiros-hypervisor = {
        startLimitIntervalSec = 0;
        serviceConfig = patient;
        after = [ "dbus.service" ];
      };
      # A shutdown stops Caddy with its last requests, then the gateway, then the sandboxes that answer them.
      caddy = lib.mkIf (cfg.ingress.kind == "caddy") {
        startLimitIntervalSec = lib.mkForce 0;
        after = [ "choiros-hypervisor.service" ];
        serviceConfig = lib.mapAttrs (_: lib.mkForce) (patient // { RestartPreventExitStatus = ""; }) // {
          TimeoutStopSec = caddyStops;
        };
      };
      # Units stop in the reverse of the order in which they start. The gateway can't be ordered after the sandboxes
      # itself: at boot it would wait for the slowest of them. This one can, and waits for the gateway at the end.
      choiros-drain = {
        description = "Sandboxes stay until the hypervisor has answered its last request";
        wantedBy = [ "multi-user.target" ];
        serviceConfig =
          import ./lib/hardening.nix
          // units.offline
          // {
            Type = "oneshot";
            RemainAfterExit = true;
            ExecStart = lib.getExe' pkgs.coreutils "true";
            ExecStop = lib.getExe drain;
            # of both, and a little
            TimeoutStopSec =
              caddyStops + config.systemd.services.choiros-hypervisor.serviceConfig.TimeoutStopSec + 10;
          };
      };
    }
    // lib.genAttrs (map (s: "container@${s.name}") cfg.containers) (_: {
      before = [ "choiros-drain.service" ];
    })
  );
}
