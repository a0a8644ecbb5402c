{ lib, config, ... }:
let
  cfg = config.services.choiros;
  # what the gateway asks a sandbox by, whatever release it runs
  asked =
    service:
    builtins.toJSON [
      service.port
      service.health
      service.identity
    ];
  uneven = lib.filter (name: asked cfg.workspaces.${name}.live != asked cfg.workspaces.${name}.dev) (
    lib.attrNames cfg.workspaces
  );
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.rollout.swap == null;
        message = "services.choiros.rollout.swap is gone: a swap takes the data along, and a deployment must not. Set services.choiros.rollout.kind, \"promote\" where it was \"automatic\": live then takes the new release, and keeps its data.";
      }
      {
        assertion = cfg.rollout.kind == "promote" -> uneven == [ ];
        message = "services.choiros.workspaces.${lib.head uneven}: live and dev differ in port, health or identity, so live would never be well with the release that dev has had. Set them for the workspace, and not for one of the two; or set services.choiros.rollout.kind = \"manual\".";
      }
    ];
  };
}
