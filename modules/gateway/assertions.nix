{ lib, config, ... }:
let
  cfg = config.services.choiros;
  choirosTypes = import ../lib/types.nix { inherit lib; };
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.domain == cfg.rpId || lib.hasSuffix ".${cfg.rpId}" cfg.domain;
        message = "services.choiros.rpId: ${cfg.rpId} is neither ${cfg.domain} nor a parent domain of it, so browsers would refuse every passkey. Set it to \"${cfg.domain}\", or leave it out.";
      }
      {
        assertion = cfg.rpId == cfg.domain || lib.hasInfix "." cfg.rpId;
        message = "services.choiros.rpId: ${cfg.rpId} is a top-level domain, for which browsers make no passkeys. Set it to \"${cfg.domain}\", or leave it out.";
      }
      {
        assertion = !lib.elem cfg.domain cfg.redirectDomains;
        message = "services.choiros.redirectDomains: ${cfg.domain} would redirect to itself. Leave services.choiros.domain out of the list.";
      }
      {
        assertion =
          cfg.registration == "open" -> choirosTypes.isReserved cfg.domain || cfg.acceptOpenRegistration;
        message = "services.choiros.registration is \"open\" on ${cfg.domain}: whoever finds it gets an account and a sandbox. Set it to \"invite\"; if that is what you want, set services.choiros.acceptOpenRegistration = true.";
      }
    ];
  };
}
