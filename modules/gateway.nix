# Who may come in, under which name, and whose origin the pages of a sandbox have.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  choirosTypes = import ./lib/types.nix { inherit lib; };
in
{
  options.services.choiros = {
    enable = lib.mkEnableOption "ChoirOS: passkey-gated sandboxes that can be replaced while they serve";

    domain = mkOption {
      type = choirosTypes.domain;
      example = "choir.example.org";
      description = "The name under which people reach this host. TLS, the origin and, unless `rpId` says otherwise, the passkeys' relying party follow from it.";
    };

    rpId = mkOption {
      type = types.str;
      default = cfg.domain;
      defaultText = lib.literalExpression "config.services.choiros.domain";
      example = "example.org";
      description = "The domain that passkeys are bound to: `domain` or a parent of it. It can't be changed once someone has registered.";
    };

    redirectDomains = mkOption {
      type = types.listOf choirosTypes.domain;
      default = [ ];
      example = [ "www.choir.example.org" ];
      description = "Other names of this host, which answer each request with a 308 to the same path below `domain`.";
    };

    registration = mkOption {
      type = types.enum [
        "invite"
        "open"
        "closed"
      ];
      default = "invite";
      example = "closed";
      description = "Who may sign up: those with an invite (the first start logs one for the admin), anyone, or nobody.";
    };

    acceptOpenRegistration = mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Confirms that `registration = \"open\"` is meant on a domain that the whole world reaches.";
    };

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
      default = cfg.domain;
      defaultText = lib.literalExpression "config.services.choiros.domain";
      example = "choir-sandboxes.example";
      description = "The domain below which each sandbox has its host, with `origins = \"own\"`. For code that you don't trust, use one that you have registered for nothing else: browsers take its pages for strangers to those of `domain`.";
    };

    gatewayPrefix = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "/.choiros";
      description = "The path below which the gateway's own pages are, with `origins = \"shared\"`, so that the sandboxes' `/login`, `/admin`, `/health` and the like can be reached. Without it those paths are the gateway's.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion =
          cfg.registration == "open" -> choirosTypes.isReserved cfg.domain || cfg.acceptOpenRegistration;
        message = "services.choiros.registration is \"open\" on ${cfg.domain}: whoever finds it gets an account and a sandbox. Set it to \"invite\"; if that is what you want, set services.choiros.acceptOpenRegistration = true.";
      }
      {
        # the gateway would serve it; it is the certificate that no browser takes
        assertion = cfg.origins == "own" -> lib.hasInfix "." cfg.sandboxDomain;
        message = "services.choiros.sandboxDomain: browsers take ${cfg.sandboxDomain}, which has no dot, for a top-level domain, below which no certificate for all names holds. Set it to a name such as \"${cfg.sandboxDomain}.internal\", or set services.choiros.origins = \"shared\".";
      }
    ];
  };
}
