{ on, says, ... }:
let
  unit = c: c.systemd.services.choiros-rollout;
in
{
  "a deployment comes to dev, after the hypervisor, as its user" = {
    config = on { };
    expect =
      c:
      builtins.all (name: builtins.elem name (unit c).after) [
        "choiros-releases.service"
        "choiros-hypervisor.service"
        "container@sandbox-dev.service"
      ]
      && (unit c).serviceConfig.User == "choiros"
      && c.services.choiros.rollout.kind == "manual";
  };
  "a promotion by itself is one's choice, and its probation too" = {
    config = on {
      rollout = {
        kind = "promote";
        probationSecs = 300;
      };
    };
    expect =
      c:
      c.services.choiros.rollout.probationSecs == 300
      && (unit c).serviceConfig.TimeoutStartSec > 300 + 60;
  };
  "a rollout follows the plan of releases, and remembers what it gave" = {
    config = on { };
    expect =
      c:
      says (unit c).serviceConfig.ExecStart " /etc/choiros/releases /nix/var/nix/profiles/choiros /var/lib/choiros/rollout"
      && (unit c).serviceConfig.StateDirectory == "choiros/rollout"
      && (unit c).restartTriggers == c.systemd.services.choiros-releases.restartTriggers
      && (unit c).restartTriggers != [ ];
  };
  "who swapped at each deployment is told what there is instead" = {
    config = on { rollout.swap = "automatic"; };
    fails = "Set services.choiros.rollout.kind";
  };
  "a kind that there is none of is refused" = {
    config = on { rollout.kind = "automatic"; };
    fails = "promote";
  };
  "no release at all can't be kept" = {
    config = on { rollout.keepReleases = 0; };
    fails = "positive";
  };
  "a live that is asked otherwise than dev can't be promoted to what dev had" = {
    config = on {
      rollout.kind = "promote";
      workspaces.sandbox.dev.health.path = "/up";
    };
    fails = "services.choiros.workspaces.sandbox: live and dev differ in port, health or identity";
  };
  "nor one on another port" = {
    config = on {
      rollout.kind = "promote";
      workspaces.sandbox.live.port = 3000;
    };
    fails = "services.choiros.workspaces.sandbox: live and dev differ in port, health or identity";
  };
  "by hand it can" = {
    config = on { workspaces.sandbox.live.port = 3000; };
    expect = c: c.services.choiros.settings.workspaces.sandbox.live.address == "10.233.1.2:3000";
  };
}
