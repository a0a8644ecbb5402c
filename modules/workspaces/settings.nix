# What the sandboxes of a workspace, or of all slots, run, and what they may.
{
  lib,
  choirosTypes,
  service,
  sandboxPackage,
  # whether the volumes lie on a file system that has project quotas
  quotas,
}:
config:
let
  inherit (lib) mkOption types;
in
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
// import ../limits/options.nix { inherit lib choirosTypes quotas; }
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
    value = config.config == null;
    text = lib.literalMD "whether our sandbox service runs inside";
  };
}
