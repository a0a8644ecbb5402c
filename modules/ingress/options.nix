{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.services.choiros.ingress = {
    email = mkOption {
      type = types.nullOr (types.strMatching "[^@ ]+@[^@ ]+");
      default = null;
      example = "ops@example.org";
      description = "Where the certificate authority writes to when something is wrong with the certificates.";
    };

    internalCa = mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Certificates from an authority of Caddy's own, which no browser knows: for tests, and for hosts that the internet doesn't reach.";
    };

    streamCloseDelay = mkOption {
      type = types.strMatching "[0-9]+(s|m|h)";
      default = "5m";
      example = "1h";
      description = "For how long WebSockets outlive a reload of Caddy, in which it would otherwise cut them.";
    };
  };
}
