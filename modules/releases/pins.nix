# The one way to pin a sandbox to another release: `choiros-release-<sandbox>@<number>`, of a slot
# `choiros-slot-release@<sandbox>:<number>`. The folder stands in the unit, and the number is looked up there.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  slots = (import ../lib/plan.nix { inherit lib; }).slots cfg;
  release = import ./program.nix { inherit pkgs; } "release" [ ];
  unit = folder: order: {
    description = "Release for ${order}";
    startLimitIntervalSec = 0;
    unitConfig.CollectMode = "inactive-or-failed";
    serviceConfig = import ../lib/hardening.nix // {
      Type = "oneshot";
      ExecStart = "${lib.getExe release} ${folder} ${order}";
      ReadWritePaths = [ folder ];
      # the hypervisor waits for it, and whoever comes waits for the hypervisor
      TimeoutStartSec = 10;
      UMask = "0022";
      PrivateNetwork = true;
      IPAddressDeny = "any";
    };
  };
in
{
  config.systemd.services = lib.mkIf cfg.enable (
    lib.listToAttrs (
      map (
        s: lib.nameValuePair "choiros-release-${s.name}@" (unit s.releases "${s.name}:%i")
      ) cfg.sandboxes
    )
    // lib.optionalAttrs (cfg.slots > 0) {
      "choiros-slot-release@" = unit slots.releases "%i";
    }
  );
}
