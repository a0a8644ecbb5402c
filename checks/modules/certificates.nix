# Where certificates come from, and who reads them, whoever ends TLS.
{
  on,
  with',
  reckoned,
  says,
  ending,
  ...
}:
let
  inherit (ending)
    gateway
    acme
    shared
    tls
    unit
    ;
  files = {
    cert = "/run/secrets/choir.pem";
    key = "/run/secrets/choir.key";
  };
  sandboxes = c: c.services.caddy.virtualHosts.choiros-sandboxes;
  host = c: c.services.caddy.virtualHosts."choir.example.org".extraConfig;
in
{
  "certificates are from the world's authorities, and mail goes to the operator" = {
    config = on { ingress.email = "ops@example.org"; };
    expect =
      c: c.services.caddy.email == "ops@example.org" && !says c.services.caddy.globalConfig "local_certs";
  };
  "Caddy has the sandboxes' wildcard from security.acme, by DNS, and all else by itself" = {
    config = with' {
      security.acme = {
        acceptTerms = true;
        certs."choir.example.org".dnsProvider = "route53";
      };
    } { ingress.certificates = "wildcard"; };
    expect =
      c:
      let
        cert = c.security.acme.certs."choir.example.org";
      in
      cert.domain == "*.choir.example.org"
      && cert.extraDomainNames == [ ]
      && cert.group == "choiros-certificate"
      && cert.reloadServices == [ "caddy.service" ]
      && (sandboxes c).hostName == "*.choir.example.org"
      && says (sandboxes c).extraConfig ''tls "/var/lib/acme/choir.example.org/fullchain.pem"''
      && !says (host c) "tls "
      && !says c.services.caddy.globalConfig "on_demand"
      && c.systemd.services.caddy.serviceConfig.SupplementaryGroups == [ "choiros-certificate" ]
      && builtins.elem "acme-choir.example.org.service" c.systemd.services.caddy.after;
  };
  "a wildcard without a provider of DNS is refused" = {
    config = with' { security.acme.acceptTerms = true; } { ingress.certificates = "wildcard"; };
    fails = ''Set security.acme.certs."choir.example.org".dnsProvider'';
  };
  "a wildcard beside certificates of one's own is refused" = {
    config = on {
      ingress = {
        certificates = "wildcard";
        certificate = {
          cert = "/run/secrets/choir.pem";
          key = "/run/secrets/choir.key";
        };
      };
    };
    fails = "does nothing with ingress.certificate";
  };
  "a wildcard from the host's own authority is refused" = {
    config = on {
      domain = "choir.internal";
      ingress = {
        certificates = "wildcard";
        internalCa = true;
      };
    };
    fails = "does nothing with ingress.internalCa";
  };
  "a wildcard for sandboxes without hosts is refused" = {
    config = on {
      origins = "shared";
      ingress.certificates = "wildcard";
    };
    fails = ''does nothing with services.choiros.origins = "shared"'';
  };
  "tests have an authority of their own" = {
    config = on {
      domain = "choir.internal";
      ingress.internalCa = true;
    };
    expect =
      c: says c.services.caddy.globalConfig "local_certs" && says (sandboxes c).extraConfig "on_demand";
  };
  "a name that no authority vouches for is refused" = {
    config = on { domain = "choir"; };
    fails = "services.choiros.ingress.internalCa = true";
  };
  "the host's mail address for certificates stays, also where both say it" = {
    config = with' { services.caddy.email = "ops@example.org"; } { ingress.email = "ops@example.org"; };
    expect = c: c.services.caddy.email == "ops@example.org";
  };
  "a name of private networks, which no authority vouches for, is refused" = {
    config = on { redirectDomains = [ "choir.local" ]; };
    fails = "services.choiros.redirectDomains: no certificate authority vouches for choir.local";
  };
  "which names are those of private networks" = reckoned (
    lib:
    let
      choirosTypes = import ../../modules/lib/types.nix { inherit lib; };
      all =
        expected:
        map (name: {
          inherit name;
          ok = choirosTypes.isReserved name == expected;
        });
    in
    all true [
      "choir.internal"
      "choir.lan"
      "nas.home.arpa"
      "choir.test"
      "a.b.localhost"
      "local"
    ]
    ++ all false [
      "choir.example.org"
      "local.example.org"
      "mylan"
      "notlocal.org"
    ]
  );
  "a domain of sandboxes that no authority vouches for is refused" = {
    config = on { sandboxDomain = "sandboxes.internal"; };
    fails = "services.choiros.sandboxDomain: no certificate authority vouches for sandboxes.internal";
  };
  "to order certificates it speaks to the world, but not to a cloud about its machine" = {
    config = acme { };
    expect =
      c:
      let
        s = (unit c).serviceConfig;
      in
      s.CapabilityBoundingSet == ""
      && s.PrivateUsers
      && builtins.elem "AF_INET6" s.RestrictAddressFamilies
      &&
        s.IPAddressDeny == [
          "169.254.169.254"
          "fd00:ec2::254"
        ];
  };
  "the gateway orders a certificate for each name by itself, with its keys in its own folder" = {
    config =
      with'
        {
          security.acme.acceptTerms = true;
          security.acme.defaults = {
            email = "host@example.org";
            server = "https://acme-staging-v02.api.letsencrypt.org/directory";
          };
        }
        (
          gateway { }
          // {
            redirectDomains = [ "example.org" ];
          }
        );
    expect =
      c:
      c.security.acme.certs == { }
      && !(c.users.groups ? choiros-certificate)
      && !((unit c).serviceConfig ? SupplementaryGroups)
      &&
        tls c == {
          acme = {
            accept_terms = true;
            dir = "/var/lib/choiros/hypervisor/acme";
            directory = "https://acme-staging-v02.api.letsencrypt.org/directory";
            email = "host@example.org";
          };
          hsts_secs = 31536000;
          redirect_hosts = [ "example.org" ];
        };
  };
  "what the ingress says of mail, and the settings of a directory, come before what all of the host has" =
    {
      config =
        with'
          {
            security.acme.acceptTerms = true;
            security.acme.defaults.email = "host@example.org";
            services.choiros.settings.tls.acme.directory = "https://ca.example.org/directory";
          }
          (gateway {
            email = "ops@example.org";
          });
      expect =
        c:
        (tls c).acme.email == "ops@example.org"
        && (tls c).acme.directory == "https://ca.example.org/directory";
    };
  "whether someone has accepted the terms is the hypervisor's to judge, which orders them" = {
    config = on (gateway { });
    expect = c: !(tls c).acme.accept_terms;
  };
  "the one certificate for all names is asked for by DNS, from who serves it" = {
    config = with' {
      security.acme = {
        acceptTerms = true;
        defaults.webroot = "/var/www";
        certs."choir.example.org" = {
          dnsProvider = "hetzner";
          credentialFiles.HETZNER_API_TOKEN_FILE = "/run/secrets/hetzner";
        };
      };
    } (gateway { certificates = "wildcard"; } // { redirectDomains = [ "example.org" ]; });
    expect =
      c:
      let
        cert = c.security.acme.certs."choir.example.org";
      in
      cert.domain == "choir.example.org"
      &&
        cert.extraDomainNames == [
          "example.org"
          "*.choir.example.org"
        ]
      && cert.webroot == null
      && cert.group == "choiros-certificate"
      && cert.reloadServices == [ "choiros-hypervisor.service" ]
      && (tls c).cert == "/var/lib/acme/choir.example.org/fullchain.pem"
      && !((tls c) ? acme)
      && !((tls c) ? acme_webroot)
      && (unit c).serviceConfig.IPAddressDeny == "any"
      && (unit c).serviceConfig.SupplementaryGroups == [ "choiros-certificate" ]
      && builtins.elem "acme-choir.example.org.service" (unit c).wants;
  };
  "with one name ACME is asked for one certificate for all names, and its files are the group's that serves them" =
    {
      config =
        with'
          {
            security.acme.acceptTerms = true;
          }
          (
            shared { email = "ops@example.org"; }
            // {
              redirectDomains = [
                "example.org"
                "www.example.org"
              ];
            }
          );
      expect =
        c:
        let
          cert = c.security.acme.certs."choir.example.org";
          webroot = "/var/lib/acme/acme-challenge";
        in
        [
          {
            name = "names";
            ok =
              cert.domain == "choir.example.org"
              &&
                cert.extraDomainNames == [
                  "example.org"
                  "www.example.org"
                ];
          }
          {
            name = "the question is answered by the gateway";
            ok = cert.webroot == webroot && cert.dnsProvider == null && (tls c).acme_webroot == webroot;
          }
          {
            name = "mail";
            ok = cert.email == "ops@example.org";
          }
          {
            name = "files";
            ok =
              (tls c).cert == "/var/lib/acme/choir.example.org/fullchain.pem"
              && (tls c).key == "/var/lib/acme/choir.example.org/key.pem";
          }
          {
            name = "who reads them: as they are, not as they were at the start";
            ok =
              cert.group == "choiros-certificate"
              && c.users.groups ? choiros-certificate
              && (unit c).serviceConfig.SupplementaryGroups == [ "choiros-certificate" ]
              && !((unit c).serviceConfig ? LoadCredential);
          }
          {
            name = "renewal is a reload";
            ok =
              cert.reloadServices == [ "choiros-hypervisor.service" ]
              && (unit c).serviceConfig.Type == "notify-reload";
          }
          {
            name = "it starts with NixOS' stand-in, and is there when the authority asks";
            ok =
              builtins.elem "acme-choir.example.org.service" (unit c).after
              && builtins.elem "acme-choir.example.org.service" (unit c).wants
              && builtins.elem "acme-order-renew-choir.example.org.service" (unit c).before;
          }
        ];
    };
  "the authority's terms are for the operator to accept" = {
    config = on (shared { });
    fails = "security.acme.acceptTerms";
  };
  "another way to the certificate is the operator's to choose, and what others on the host do is none of it" =
    {
      config = with' {
        security.acme = {
          acceptTerms = true;
          defaults.dnsProvider = "route53";
          certs."choir.example.org" = {
            webroot = null;
            dnsProvider = "hetzner";
            server = "https://acme-staging-v02.api.letsencrypt.org/directory";
          };
        };
      } (shared { });
      expect =
        c:
        c.security.acme.certs."choir.example.org".dnsProvider == "hetzner"
        && !((tls c) ? acme_webroot)
        && (tls c).cert == "/var/lib/acme/choir.example.org/fullchain.pem";
    };
  "ACME's folder has to be there after a reboot, as Caddy's has" = {
    config = with' {
      security.acme.acceptTerms = true;
      fileSystems."/" = {
        device = "none";
        fsType = "tmpfs";
      };
      fileSystems."/nix" = {
        device = "/dev/disk/by-label/nix";
        fsType = "ext4";
      };
    } (shared { });
    fails = "/var/lib/choiros /var/lib/acme /var/lib/choiros/backups would be gone after a reboot";
  };
  "an authority of the host's own needs no ACME, and its key is not the gateway's to read" = {
    config = on (gateway { internalCa = true; } // { domain = "choir.internal"; });
    expect =
      c:
      let
        made = c.systemd.services.choiros-certificate;
      in
      c.security.acme.certs == { }
      && (tls c).cert == "/var/lib/choiros/certificate/cert.pem"
      && (tls c).key == "/var/lib/choiros/certificate/key.pem"
      && !((tls c) ? acme_webroot)
      && !((tls c) ? acme)
      && made.serviceConfig.User == "choiros-certificate"
      && (unit c).serviceConfig.User == "choiros"
      && builtins.elem "choiros-hypervisor.service" made.before
      && builtins.elem "choiros-hypervisor.service" made.wantedBy
      && c.systemd.timers ? choiros-certificate;
  };
  "a certificate of one's own is served as it is, for names that no authority vouches for as well" = {
    config = on (
      gateway { certificate = files; }
      // {
        domain = "choir.internal";
        redirectDomains = [ "www.choir.internal" ];
      }
    );
    expect =
      c:
      c.security.acme.certs == { }
      && !(c.systemd.services ? choiros-certificate)
      && (tls c).cert == files.cert
      && (tls c).key == files.key
      && (unit c).serviceConfig.SupplementaryGroups == [ "choiros-certificate" ];
  };
  "Caddy shows a certificate of one's own for each name, and may read it" = {
    config = on {
      redirectDomains = [ "example.org" ];
      ingress.certificate = files;
    };
    expect =
      c:
      builtins.all
        (
          domain:
          says c.services.caddy.virtualHosts.${domain}.extraConfig
            ''tls "/run/secrets/choir.pem" "/run/secrets/choir.key"''
        )
        [
          "choir.example.org"
          "example.org"
        ]
      && c.systemd.services.caddy.serviceConfig.SupplementaryGroups == [ "choiros-certificate" ];
  };
  "a certificate's key in the store is refused" = {
    config = on (gateway {
      certificate = files // {
        key = "${builtins.storeDir}/00000000000000000000000000000000-key";
      };
    });
    fails = "as a string, of a file that is not in the Nix store";
  };
  "a certificate where no sealed unit sees it is refused" = {
    config = on (gateway {
      certificate = files // {
        key = "/root/choir.key";
      };
    });
    fails = "/root/choir.key lies where the service that ends TLS sees no file";
  };
  "Caddy shows it for all sandboxes' hosts, too" = {
    config = on { ingress.certificate = files; };
    expect =
      c:
      let
        site = c.services.caddy.virtualHosts.choiros-sandboxes;
      in
      site.hostName == "*.choir.example.org"
      && says site.extraConfig ''tls "/run/secrets/choir.pem" "/run/secrets/choir.key"''
      && !says c.services.caddy.globalConfig "on_demand";
  };
  "two sources of certificates are refused" = {
    config = on {
      ingress = {
        internalCa = true;
        certificate = files;
      };
    };
    fails = "services.choiros.ingress.certificate and internalCa both say";
  };
  "a name that no authority vouches for is refused by either kind" = {
    config = with' { security.acme.acceptTerms = true; } (gateway { } // { domain = "choir.lan"; });
    fails = "no certificate authority vouches for choir.lan";
  };
  "an authority of one's own vouches for names of private networks" = {
    config = with' {
      security.acme = {
        acceptTerms = true;
        defaults.server = "https://ca.choir.lan/acme/directory";
      };
    } (gateway { } // { domain = "choir.lan"; });
    expect = c: (tls c).acme.directory == "https://ca.choir.lan/acme/directory";
  };
}
