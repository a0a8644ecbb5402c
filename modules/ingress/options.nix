{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  choirosTypes = import ../lib/types.nix { inherit lib; };
in
{
  options.services.choiros.ingress = {
    kind = mkOption {
      type = types.enum [
        "caddy"
        "gateway"
      ];
      default = "caddy";
      example = "gateway";
      description = "What ends TLS on port 443, and answers on port 80. `caddy`: Caddy, in front of the hypervisor; it serves sites of yours as well (`services.caddy.virtualHosts`). `gateway`: the hypervisor itself, on sockets that systemd holds, so that a restart refuses no connection; it serves `domain`, `redirectDomains` and the sandboxes' hosts alone, and asks for `security.acme.acceptTerms = true`.";
    };

    certificates = mkOption {
      type = types.enum [
        "by-name"
        "wildcard"
      ];
      default = "by-name";
      example = "wildcard";
      description = "Which certificates the host asks an authority for, with `origins = \"own\"`. `by-name`: one for each name, when someone first comes by it; for a sandbox's host only if there is such a sandbox. What ends TLS asks by itself, on ports 80 and 443, the gateway by `security.acme.acceptTerms`, `security.acme.defaults.server` and `.email`. `wildcard`: one for `*.<sandboxDomain>` by `security.acme.certs.<domain>`, of which you set `dnsProvider`, and `environmentFile` or `credentialFiles` with the provider's token; it is the choice where more than some dozens of sandboxes a week are made, or where their names are nobody's business, since each certificate's names are published. With `kind = \"gateway\"` that certificate is for all names; Caddy gets those of `domain` and `redirectDomains` by itself. With `origins = \"shared\"` Caddy asks for each of these, and the gateway has one for all of them by `security.acme.certs.<domain>`, which it is asked about on port 80.";
    };

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
      description = "Certificates from an authority of the host's own, which no browser knows: for tests, and for hosts that the internet doesn't reach. What browsers would have to trust is `/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt`, with `kind = \"gateway\"` `/var/lib/choiros/certificate/ca.pem`.";
    };

    certificate = mkOption {
      type = types.nullOr (
        types.submodule {
          options = {
            cert = mkOption {
              type = choirosTypes.secretFile;
              example = "/run/secrets/choir.example.org.pem";
              description = "The certificate, followed by those between it and the authority, in PEM.";
            };
            key = mkOption {
              type = choirosTypes.secretFile;
              example = "/run/secrets/choir.example.org.key";
              description = "Its private key, in PEM.";
            };
          };
        }
      );
      default = null;
      example = {
        cert = "/run/secrets/choir.example.org.pem";
        key = "/run/secrets/choir.example.org.key";
      };
      description = "A certificate of your own, for `domain`, each of `redirectDomains` and, with `origins = \"own\"`, `*.<sandboxDomain>`, instead of those that the host asks an authority for. The group `choiros-certificate` has to be able to read both files. The hypervisor sees by itself that they have changed; Caddy is told by `systemctl reload caddy`.";
    };

    hstsSecs = mkOption {
      type = types.ints.unsigned;
      default = 31536000;
      example = 0;
      description = "For how many seconds browsers that have been here come by TLS alone (`Strict-Transport-Security`): a year, unless you say otherwise. With 0 they aren't told to.";
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
