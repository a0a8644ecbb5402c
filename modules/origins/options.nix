{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  choirosTypes = import ../lib/types.nix { inherit lib; };
in
{
  options.services.choiros = {
    origins = mkOption {
      type = types.enum [
        "own"
        "shared"
      ];
      default = "own";
      example = "shared";
      description = "Whose origin the pages of a sandbox have. `own`: each its own, `https://<workspace>.<sandboxDomain>` for live and `https://<workspace>-dev.<sandboxDomain>` for dev, so that what runs there has no power over the person who looks at it; a DNS record for `*.<sandboxDomain>` leads to this host. `shared`: the gateway's, live at `/` and dev below `/dev/`, for a host with one name; SECURITY.md says what that gives up.";
    };

    sandboxDomain = mkOption {
      type = choirosTypes.domain;
      default = config.services.choiros.domain;
      defaultText = lib.literalExpression "config.services.choiros.domain";
      example = "choir-sandboxes.example";
      description = "The domain below which each sandbox has its host, with `origins = \"own\"`. For code that you don't trust, use one that you have registered for nothing else: browsers take its pages for strangers to those of `domain`.";
    };

    gatewayPrefix = mkOption {
      type = types.nullOr choirosTypes.gatewayPrefix;
      default = null;
      example = "/.choiros";
      description = "The path below which the gateway's own pages are, with `origins = \"shared\"`, so that the sandboxes' `/login`, `/admin`, `/health` and the like can be reached. Without it those paths are the gateway's.";
    };
  };
}
