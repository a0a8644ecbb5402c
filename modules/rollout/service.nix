{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (import ../lib/plan.nix { inherit lib; }) folders;
  rollout = pkgs.writeShellApplication {
    name = "choiros-rollout";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.findutils
      pkgs.gnused
      pkgs.jq
    ];
    runtimeEnv = {
      HYPERVISOR = lib.getExe config.system.build.hypervisor;
      KIND = cfg.rollout.kind;
      PROBATION = toString cfg.rollout.probationSecs;
    };
    text = builtins.readFile ../programs/rollout.sh;
  };
  # what it waits for at most: the gateway, dev with the new release, its rehearsal, live's stop, start and way back
  waits = 60 + 180 + 180 + 4 * 90;
  unit =
    which: sandboxes: more:
    lib.recursiveUpdate {
      wantedBy = [ "multi-user.target" ];
      # a failure of the gateway is not one of the rollout; the script waits for it, within bounds
      wants = [ "choiros-hypervisor.service" ];
      after = [
        "choiros-releases.service"
        "choiros-hypervisor.service"
      ]
      ++ map (s: s.unit) sandboxes;
      inherit (config.systemd.services.choiros-releases) restartTriggers;
      serviceConfig = import ../lib/hardening.nix // {
        ExecStart = "${lib.getExe rollout} ${which} /etc/choiros/releases ${folders.releases} /var/lib/choiros/rollout";
        User = "choiros";
        Group = "choiros";
        StateDirectory = "choiros/rollout";
        StateDirectoryMode = "0700";
        PrivateNetwork = true;
        IPAddressDeny = "any";
      };
    } more;
in
{
  config = lib.mkIf cfg.enable {
    systemd.services = {
      choiros-rollout = unit "declared" cfg.sandboxes {
        description = "New releases to dev, and to live if asked to";
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          # all workspaces at once, however many there are
          TimeoutStartSec = waits + cfg.rollout.probationSecs;
        };
      };
    }
    // lib.optionalAttrs (cfg.slots > 0) {
      # a switch doesn't wait for it: there may be thousands
      choiros-rollout-slots = unit "slots" [ ] {
        description = "New releases to the workspaces in slots";
        serviceConfig.Type = "exec";
      };
    };
  };
}
