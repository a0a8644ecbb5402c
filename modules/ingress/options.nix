{ lib, config, ... }:
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

    socket = mkOption {
      type = types.str;
      default = "/run/choiros-ingress/http.sock";
      readOnly = true;
      internal = true;
      description = "Where Caddy finds the hypervisor.";
    };

    checkConfig = mkOption {
      type = types.bool;
      default = config.services.caddy.environmentFile == null;
      defaultText = lib.literalExpression "config.services.caddy.environmentFile == null";
      example = false;
      description = "Whether `caddy adapt` and `caddy validate` have to accept the configuration when the host is built. Switch it off if yours needs a file or a variable that only the host has, such as a DNS provider's token.";
    };

    serverOptions = mkOption {
      type = types.lines;
      default = "";
      example = "trusted_proxies static 198.51.100.0/24";
      description = "Lines for the block `servers` of Caddy's global options, on ports 80 and 443: what a Caddyfile of yours would say there.";
    };

    streamCloseDelay = mkOption {
      type = types.strMatching "[0-9]+(s|m|h)";
      default = "5m";
      example = "1h";
      description = "For how long WebSockets outlive a reload of Caddy, in which it would otherwise cut them.";
    };
  };
}
