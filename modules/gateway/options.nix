{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  choirosTypes = import ../lib/types.nix { inherit lib; };
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
      type = choirosTypes.domain;
      default = config.services.choiros.domain;
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
  };
}
