# The one way to pin a sandbox to another release: `choiros-release-<sandbox>@<number>`. Folder and name stand in the
# unit, the number is looked up in the sandbox's own workspace.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  release = import ./program.nix { inherit pkgs; } "release" [ ];
  unit = s: {
    description = "Release %i for ${s.name}";
    startLimitIntervalSec = 0;
    unitConfig.CollectMode = "inactive-or-failed";
    serviceConfig = import ../hardening.nix // {
      Type = "oneshot";
      ExecStart = "${lib.getExe release} ${s.releases} ${s.name} %i";
      ReadWritePaths = [ s.releases ];
      # the hypervisor waits for it, and whoever comes waits for the hypervisor
      TimeoutStartSec = 10;
      UMask = "0022";
      PrivateNetwork = true;
      IPAddressDeny = "any";
    };
  };
in
{
  config.systemd.services = lib.listToAttrs (
    map (s: lib.nameValuePair "choiros-release-${s.name}@" (unit s)) (
      lib.optionals cfg.enable cfg.sandboxes
    )
  );
}
