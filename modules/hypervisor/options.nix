{
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  choirosTypes = import ../lib/types.nix { inherit lib; };
in
{
  options.services.choiros = {
    package = mkOption {
      type = types.package;
      default = pkgs.choiros-hypervisor;
      defaultText = lib.literalExpression "pkgs.choiros-hypervisor";
      example = lib.literalExpression "inputs.choiros.packages.x86_64-linux.hypervisor";
      description = "The hypervisor.";
    };

    settings = mkOption {
      inherit (pkgs.formats.toml { }) type;
      default = { };
      example = {
        auth.session_days = 7;
        log.json = true;
      };
      description = "Keys of the hypervisor's TOML file, over those that this module writes. Unknown keys fail the build. Secrets don't belong here: the file is readable for all.";
    };

    metricsTokenFile = mkOption {
      type = types.nullOr choirosTypes.secretFile;
      default = null;
      example = "/run/secrets/metrics-token";
      description = "A file with the bearer token that opens `/metrics` beyond loopback. If it is missing at run time, `/metrics` stays closed and nothing else changes.";
    };

    configFile = mkOption {
      type = types.path;
      readOnly = true;
      internal = true;
      description = "The hypervisor's TOML file.";
    };
  };
}
