{ lib, config, ... }:
let
  cfg = config.services.choiros;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.ingress.internalCa || lib.hasInfix "." cfg.domain;
        message = "services.choiros.domain: no certificate authority vouches for ${cfg.domain}, a name without a dot. Use a domain of yours, or set services.choiros.ingress.internalCa = true.";
      }
      {
        assertion = config.services.caddy.enableReload;
        message = "services.caddy.enableReload is off, so each change of the configuration would cut all connections. Leave it on.";
      }
    ];
  };
}
