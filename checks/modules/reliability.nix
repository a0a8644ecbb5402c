{ on, says, ... }:
let
  service = name: c: c.systemd.services.${name};
in
{
  "no unit of ours gives up on starting" = {
    config = on { };
    expect =
      c:
      builtins.all (name: (service name c).startLimitIntervalSec == 0) [
        "choiros-hypervisor"
        "caddy"
        "choiros-backup-sandbox-live"
      ]
      && (service "caddy" c).serviceConfig.RestartPreventExitStatus == ""
      && c.systemd.sockets.choiros-hypervisor.socketConfig.TriggerLimitIntervalSec == 0;
  };
  "sandboxes outlive the gateway, and the gateway Caddy, without any of them waiting for sandboxes at boot" =
    {
      config = on { };
      expect =
        c:
        builtins.elem "choiros-drain.service" (service "container@sandbox-dev" c).before
        && !(builtins.any (unit: says unit "container@") (service "choiros-hypervisor" c).after)
        && builtins.elem "choiros-hypervisor.service" (service "caddy" c).after
        && (service "caddy" c).serviceConfig.TimeoutStopSec > 30;
    };
}
