# What the sandboxes of a workspace, or of all slots, run, and what they may.
{
  lib,
  config,
  # where their volumes are
  folder,
}:
let
  inherit (lib) mkOption types;
  inherit (config.services.choiros) sandboxPackage;
  choirosTypes = import ./types.nix { inherit lib; };
  service = import ./service-options.nix { inherit lib choirosTypes; };
  limits = import ./limit-options.nix {
    inherit lib choirosTypes folder;
    inherit (import ./quota-place.nix { inherit lib config; } folder) quotas;
  };
in
workspace:
{
  egress = mkOption {
    type = types.either (types.enum [
      "none"
      "internet"
    ]) (types.listOf choirosTypes.ipv4);
    default = "none";
    example = [ "198.51.100.0/24" ];
    description = "Where the sandboxes may open connections to: nowhere, public addresses only (neither the host, nor private networks, nor a cloud's metadata service; names are resolved by public servers, unless `config` sets others), or the IPv4 networks listed.";
  };
}
// limits
// service {
  package = {
    value = sandboxPackage;
    text = lib.literalExpression "config.services.choiros.sandboxPackage";
  };
  config.value = null;
  port.value = 8080;
  healthPath.value = "/health";
  healthStatus.value = null;
  healthHost.value = null;
  identity = {
    value = workspace.config == null;
    text = lib.literalMD "whether our sandbox service runs inside";
  };
}
