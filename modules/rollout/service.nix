{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  rollout = pkgs.writeShellApplication {
    name = "choiros-rollout";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.jq
    ];
    runtimeEnv = {
      HYPERVISOR = lib.getExe config.system.build.hypervisor;
      SWAP = cfg.rollout.swap;
      PROBATION = toString cfg.rollout.probationSecs;
    };
    text = builtins.readFile ./rollout.sh;
  };
  # WORKSPACE SANDBOX CLOSURE, a line a sandbox
  plan = lib.concatMapStrings (
    s: "${s.workspace} ${s.name} ${config.containers.${s.name}.path}\n"
  ) cfg.sandboxes;
  # what rollout.sh waits for at most: the gateway, a container's stop and start, its health, the swap, and its taking back
  waits = 60 + 90 + 60 + 120 + 60 + 60;
in
{
  config = lib.mkIf cfg.enable {
    environment.etc."choiros/rollout".text = plan;

    systemd.services.choiros-rollout = {
      description = "New sandboxes to dev, and to live if asked to";
      wantedBy = [ "multi-user.target" ];
      # a failure of the gateway is not one of the rollout; the script waits for it, within bounds
      wants = [ "hypervisor.service" ];
      after = [ "hypervisor.service" ] ++ map (s: s.unit) cfg.sandboxes;
      restartTriggers = [ (builtins.hashString "sha256" plan) ];
      serviceConfig = import ../hardening.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${lib.getExe rollout} /etc/choiros/rollout /var/lib/choiros/rollout";
        User = "choiros";
        Group = "choiros";
        StateDirectory = "choiros/rollout";
        StateDirectoryMode = "0700";
        # all workspaces at once, however many there are
        TimeoutStartSec = waits + cfg.rollout.probationSecs;
        PrivateNetwork = true;
        IPAddressDeny = "any";
      };
    };
  };
}
