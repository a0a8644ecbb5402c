{ on, says, ... }:
let
  unit = c: c.systemd.services.choiros-rollout;
in
{
  "a deployment comes to dev, after the hypervisor, as its user" = {
    config = on { };
    expect =
      c:
      builtins.elem "hypervisor.service" (unit c).after
      && builtins.elem "container@sandbox-dev.service" (unit c).after
      && (unit c).serviceConfig.User == "choiros"
      && c.services.choiros.rollout.swap == "manual";
  };
  "an automatic swap is one's choice, and its probation too" = {
    config = on {
      rollout = {
        swap = "automatic";
        probationSecs = 300;
      };
    };
    expect =
      c:
      c.services.choiros.rollout.probationSecs == 300
      && (unit c).serviceConfig.TimeoutStartSec > 300 + 60;
  };
  "a rollout has its plan from a table, and remembers what it gave" = {
    config = on { };
    expect =
      c:
      says c.environment.etc."choiros/rollout".text "sandbox sandbox-dev /nix/store/"
      && says (unit c).serviceConfig.ExecStart " /etc/choiros/rollout /var/lib/choiros/rollout"
      && (unit c).serviceConfig.StateDirectory == "choiros/rollout"
      && (unit c).restartTriggers != [ ];
  };
}
