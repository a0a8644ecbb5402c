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
      pkgs.curl
      pkgs.jq
    ];
    runtimeEnv = {
      HYPERVISOR = lib.getExe config.system.build.hypervisor;
      SWAP = cfg.rollout.swap;
      PROBATION = toString cfg.rollout.probationSecs;
    };
    text = builtins.readFile ./rollout.sh;
  };
  # WORKSPACE SANDBOX CLOSURE HEALTH-URL, a line a sandbox
  plan = pkgs.writeText "choiros-rollout-plan" (
    lib.concatMapStrings (
      s:
      "${s.workspace} ${s.name} ${
        config.containers.${s.name}.path
      } http://${s.address}:${toString s.options.port}${s.options.health.path}\n"
    ) cfg.sandboxes
  );
in
{
  config = lib.mkIf cfg.enable {
    systemd.services.choiros-rollout = {
      description = "New sandboxes to dev, and to live if asked to";
      wantedBy = [ "multi-user.target" ];
      # a failure of the gateway is not one of the rollout; the script waits for it, within bounds
      wants = [ "hypervisor.service" ];
      after = [ "hypervisor.service" ] ++ map (s: s.unit) cfg.sandboxes;
      serviceConfig = import ../hardening.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${lib.getExe rollout} ${plan}";
        User = "choiros";
        Group = "choiros";
        TimeoutStartSec = 600;
        RestrictAddressFamilies = [
          "AF_UNIX" # systemd and the hypervisor
          "AF_INET" # the sandboxes' health
        ];
        IPAddressDeny = "any";
        IPAddressAllow = [ "10.233.0.0/16" ];
      };
    };
  };
}
