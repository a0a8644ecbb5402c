# Where the certificates come from, who may read their files, and what the hypervisor does with them where it ends TLS.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  inherit (cfg) ingress;
  inherit (ingress) certificate internalCa;
  inherit (config.security) acme;
  inherit (config.services) caddy;
  choirosTypes = import ./lib/types.nix { inherit lib; };
  inherit (import ./lib/plan.nix { inherit lib; }) folders;
  byCaddy = ingress.kind == "caddy";
  own = cfg.origins == "own";
  wildcard = "*.${cfg.sandboxDomain}";

  source =
    if certificate != null then
      "files"
    else if internalCa then
      "internal-ca"
    else if own && ingress.certificates == "wildcard" then
      "dns-challenge"
    else if !own && !byCaddy then
      "http-challenge"
    else
      # by who ends TLS, a name at a time
      "ingress";
  byDns = source == "dns-challenge";
  # security.acme makes it
  ordered = byDns || source == "http-challenge";
  # the host's own authority makes it; Caddy brings one along
  issued = source == "internal-ca" && !byCaddy;
  inFolder = folder: name: {
    cert = "${folder}/${name}.pem";
    key = "${folder}/key.pem";
  };
  files =
    if source == "files" then
      { inherit (certificate) cert key; }
    else if ordered then
      inFolder acme.certs.${cfg.domain}.directory "fullchain"
    else if issued then
      inFolder "${folders.state}/certificate" "cert"
    else
      null;

  unseen = lib.filter (
    file:
    lib.any (folder: lib.hasPrefix "${folder}/" file) [
      "/home"
      "/root"
      "/run/user"
      "/tmp"
      "/var/tmp"
    ]
  ) (lib.attrValues (lib.optionalAttrs (certificate != null) certificate));

  # an authority of the operator's own vouches for what it likes
  authority = if byCaddy then caddy.acmeCA else acme.defaults.server or null;
  isPublic = authority == null || lib.hasInfix ".letsencrypt.org/" authority;
  named =
    option:
    map (domain: {
      inherit option domain;
    });
  uncertified = lib.filter (n: !lib.hasInfix "." n.domain || choirosTypes.isReserved n.domain) (
    named "domain" [ cfg.domain ]
    ++ named "redirectDomains" cfg.redirectDomains
    ++ named "sandboxDomain" (lib.optional own cfg.sandboxDomain)
  );

  server = if byCaddy then "caddy" else "choiros-hypervisor";
  # NixOS puts one of its own making there until the first comes
  made = "acme-${cfg.domain}.service";
  webroot = if source == "http-challenge" then acme.certs.${cfg.domain}.webroot else null;
  # the hypervisor asks the authority itself, by the host's settings for that
  order = lib.filterAttrs (_: value: value != null) {
    accept_terms = acme.acceptTerms;
    dir = "${folders.hypervisor}/acme";
    directory = acme.defaults.server or null;
    email = if ingress.email != null then ingress.email else acme.defaults.email or null;
  };

  issue = pkgs.writeShellApplication {
    name = "choiros-certificate";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.openssl
    ];
    runtimeEnv.NAMES = lib.concatMapStringsSep "," (d: "DNS:${d}") (
      [ cfg.domain ] ++ cfg.redirectDomains ++ lib.optional own wildcard
    );
    text = builtins.readFile ./programs/internal-ca.sh;
  };
in
{
  options.services.choiros.ingress = {
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

    files = mkOption {
      type = types.nullOr (types.attrsOf types.str);
      default = files;
      readOnly = true;
      internal = true;
      description = "The files `cert` and `key`, where others than who made them read them.";
    };

    source = mkOption {
      type = types.str;
      default = source;
      readOnly = true;
      internal = true;
      description = "Where the certificate comes from.";
    };
  };

  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      {
        assertions = [
          {
            assertion = internalCa || certificate != null || !isPublic || uncertified == [ ];
            message = "services.choiros.${(lib.head uncertified).option}: no certificate authority vouches for ${(lib.head uncertified).domain}, a name of private networks or without a dot. Use a domain of yours, or set services.choiros.ingress.internalCa = true.";
          }
          {
            assertion = certificate == null || !internalCa;
            message = "services.choiros.ingress.certificate and internalCa both say where the certificate comes from. Remove one of them.";
          }
          {
            assertion = ingress.certificates == "wildcard" -> byDns;
            message = "services.choiros.ingress.certificates = \"wildcard\" does nothing with ${
              if certificate != null then
                "ingress.certificate, which is the certificate"
              else if internalCa then
                "ingress.internalCa, where the host makes them"
              else
                "services.choiros.origins = \"shared\", where sandboxes have no hosts of their own"
            }. Remove one of the two.";
          }
          {
            assertion = byDns -> acme.certs.${cfg.domain}.dnsProvider != null;
            message = "services.choiros.ingress.certificates = \"wildcard\" asks for a DNS challenge, and nothing says who serves the DNS of ${cfg.sandboxDomain}. Set security.acme.certs.\"${cfg.domain}\".dnsProvider, and environmentFile or credentialFiles with the provider's token; or set certificates to \"by-name\".";
          }
          {
            assertion = unseen == [ ];
            message = "services.choiros.ingress.certificate: ${lib.head unseen} lies where the service that ends TLS sees no file of the host's. Put it elsewhere, such as below /run/secrets or /var/lib/certificates.";
          }
        ];
        users.groups.choiros-certificate = lib.mkIf (files != null) { };
      }

      (lib.mkIf ordered {
        security.acme.certs.${cfg.domain} = {
          email = lib.mkIf (ingress.email != null) ingress.email;
          group = "choiros-certificate";
          # which takes up what comes of it
          reloadServices = [ "${server}.service" ];
          # whoever sets another way here sets these, too; what security.acme.defaults says is for others, but for the
          # provider of DNS
          webroot = lib.mkDefault (if byDns then null else "/var/lib/acme/acme-challenge");
          dnsProvider = lib.mkIf (!byDns) (lib.mkDefault null);
        }
        // (
          if byCaddy then
            # Caddy has its own for the other names
            { domain = wildcard; }
          else
            { extraDomainNames = cfg.redirectDomains ++ lib.optional byDns wildcard; }
        );
        systemd.services.${server} = {
          wants = [ made ];
          after = [ made ];
          # the hypervisor answers the authority's questions on port 80 itself
          before = lib.mkIf (!byDns) [ "acme-order-renew-${cfg.domain}.service" ];
        };
      })

      (lib.mkIf (!byCaddy) {
        services.choiros.settings.tls = lib.mapAttrsRecursive (_: lib.mkDefault) (
          {
            redirect_hosts = cfg.redirectDomains;
            hsts_secs = ingress.hstsSecs;
          }
          // (if files != null then files else { acme = order; })
          // lib.optionalAttrs (webroot != null) { acme_webroot = webroot; }
        );
        systemd.services.choiros-hypervisor.serviceConfig =
          if files != null then
            {
              # not LoadCredential=, whose copies are those of the start: a renewed certificate would need a restart
              SupplementaryGroups = [ "choiros-certificate" ];
            }
          else
            {
              # the authority is somewhere in the world, by either family; what a cloud tells its machines is not for here
              RestrictAddressFamilies = [ "AF_INET6" ];
              IPAddressDeny = [
                "169.254.169.254"
                "fd00:ec2::254"
              ];
            };
      })

      (lib.mkIf issued {
        users.users.choiros-certificate = {
          isSystemUser = true;
          group = "choiros-certificate";
        };
        systemd.services.choiros-certificate = {
          description = "Certificate of the host's own authority";
          wantedBy = [ "choiros-hypervisor.service" ];
          before = [ "choiros-hypervisor.service" ];
          serviceConfig = import ./lib/hardening.nix // {
            Type = "oneshot";
            ExecStart = lib.getExe issue;
            # not the hypervisor's: who speaks to the world doesn't hold the authority's key
            User = "choiros-certificate";
            Group = "choiros-certificate";
            StateDirectory = "choiros/certificate";
            StateDirectoryMode = "0750";
            UMask = "0027";
            PrivateNetwork = true;
            IPAddressDeny = "any";
          };
        };
        systemd.timers.choiros-certificate = {
          wantedBy = [ "timers.target" ];
          timerConfig = {
            OnCalendar = "daily";
            Persistent = true;
          };
        };
      })
    ]
  );
}
