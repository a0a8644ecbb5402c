# The order of a shutdown: Caddy's last requests, then the gateway's, then the sandboxes that answer them.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
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
  config = lib.mkIf cfg.enable {
    systemd.services =
      lib.genAttrs (map (s: "container@${s.name}") cfg.containers) (_: {
        before = [ "choiros-drain.service" ];
      })
      // {
        # Units stop in the reverse of the order in which they start. The gateway can't be ordered after the sandboxes
        # itself: at boot it would wait for the slowest of them. This one can, and waits for the gateway at the end.
        choiros-drain = {
          description = "Sandboxes stay until the hypervisor has answered its last request";
          wantedBy = [ "multi-user.target" ];
          serviceConfig = import ../lib/hardening.nix // {
            Type = "oneshot";
            RemainAfterExit = true;
            ExecStart = lib.getExe' pkgs.coreutils "true";
            ExecStop = lib.getExe drain;
            # of Caddy and of the hypervisor, and a little
            TimeoutStopSec = 35 + 60 + 10;
            PrivateNetwork = true;
            IPAddressDeny = "any";
          };
        };
        choiros-hypervisor.after = [ "dbus.service" ];
        caddy = lib.mkIf (cfg.ingress.kind == "caddy") {
          after = [ "choiros-hypervisor.service" ];
          # its grace_period, and a little
          serviceConfig.TimeoutStopSec = 35;
        };
      };
  };
}
