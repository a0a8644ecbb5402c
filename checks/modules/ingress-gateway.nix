# The hypervisor as the one that ends TLS.
{
  on,
  with',
  reckoned,
  says,
  ...
}:
let
  gateway = settings: {
    ingress = {
      kind = "gateway";
    }
    // settings;
  };
  acme = settings: with' { security.acme.acceptTerms = true; } (gateway settings);
  shared = settings: gateway settings // { origins = "shared"; };
  tls = c: c.services.choiros.settings.tls;
  unit = c: c.systemd.services.choiros-hypervisor;
  socket = c: name: c.systemd.sockets.${name};
  ours = [
    "choiros-hypervisor-http"
    "choiros-hypervisor-https"
    "choiros-hypervisor-http-redirect"
  ];
  files = {
    cert = "/run/secrets/choir.pem";
    key = "/run/secrets/choir.key";
  };
  beside =
    more:
    with' {
      imports = [
        ../foreign/stand-ins.nix
        more
      ];
      security.acme.acceptTerms = true;
    } (gateway { });
in
{
  "Caddy ends TLS unless someone says otherwise" = {
    config = on { };
    expect =
      c:
      c.services.caddy.enable
      && !(c.services.choiros.settings ? tls)
      && !(builtins.any (name: c.systemd.sockets ? ${name}) ours)
      && c.security.acme.certs == { };
  };
  "the gateway has systemd's sockets for 443 and 80 beside the host's own, and no Caddy" = {
    config = acme { };
    expect =
      c:
      let
        bound = name: (socket c name).listenStreams;
        named = name: (socket c name).socketConfig.FileDescriptorName;
        has = list: builtins.all (name: builtins.elem "${name}.socket" list) ours;
      in
      [
        {
          name = "over IPv4 and IPv6";
          ok = builtins.all (name: (socket c name).socketConfig.BindIPv6Only == "both") [
            "choiros-hypervisor-https"
            "choiros-hypervisor-http-redirect"
          ];
        }
        {
          name = "https";
          ok = bound "choiros-hypervisor-https" == [ "443" ] && named "choiros-hypervisor-https" == "https";
        }
        {
          name = "http-redirect";
          ok =
            bound "choiros-hypervisor-http-redirect" == [ "80" ]
            && named "choiros-hypervisor-http-redirect" == "http-redirect";
        }
        {
          name = "for the one service, and never given up";
          ok = builtins.all (
            name:
            (socket c name).socketConfig.Service == "choiros-hypervisor.service"
            && (socket c name).socketConfig.TriggerLimitIntervalSec == 0
            && (socket c name).wantedBy == [ "sockets.target" ]
          ) ours;
        }
        {
          name = "http is loopback's alone, with no proxy that would be believed";
          ok =
            bound "choiros-hypervisor-http" == [ "127.0.0.1:9090" ]
            && named "choiros-hypervisor-http" == "http"
            && !((socket c "choiros-hypervisor-http").socketConfig ? SocketGroup);
        }
        {
          name = "no unit of Caddy's kind, which a switch from one to the other would leave as it runs";
          ok = !(c.systemd.sockets ? choiros-hypervisor);
        }
        {
          name = "the service waits for all of them";
          ok = has (unit c).requires && has (unit c).after;
        }
        {
          name = "no Caddy";
          ok = !c.services.caddy.enable && !(c.systemd.services ? caddy);
        }
      ];
  };
  "it needs no capability, and speaks to no more of the world than before" = {
    config = with' { security.acme.acceptTerms = true; } (shared { });
    expect =
      c:
      let
        s = (unit c).serviceConfig;
      in
      s.AmbientCapabilities == ""
      && s.CapabilityBoundingSet == ""
      && s.PrivateUsers
      && s.IPAddressDeny == "any"
      &&
        s.RestrictAddressFamilies == [
          "AF_UNIX"
          "AF_INET"
        ];
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
  "both kinds open 80 and 443 to the world, here and in the AWS security group" = {
    config = acme { };
    expect =
      c:
      let
        template = import ../../packages/security-group/template.nix { config = c; };
        ports = map (rule: rule.FromPort) template.Resources.SecurityGroup.Properties.SecurityGroupIngress;
      in
      c.networking.firewall.allowedTCPPorts == [
        80
        443
      ]
      &&
        ports == [
          80
          80
          443
          443
        ];
  };

  # -- where the certificate comes from

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

  # -- what both kinds promise

  "redirect domains and HSTS are the gateway's too" = {
    config = with' { security.acme.acceptTerms = true; } (
      gateway { hstsSecs = 600; } // { redirectDomains = [ "example.org" ]; }
    );
    expect = c: (tls c).redirect_hosts == [ "example.org" ] && (tls c).hsts_secs == 600;
  };
  "browsers are told to stay with TLS for a year, by either kind" = {
    config = acme { };
    expect = c: (tls c).hsts_secs == 31536000;
  };
  "Caddy tells them what the option says, or nothing" = {
    config = on { ingress.hstsSecs = 0; };
    expect =
      c: !says c.services.caddy.virtualHosts."choir.example.org".extraConfig "Strict-Transport-Security";
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

  # -- who else wants the ports

  "who takes the gateway's ports" = reckoned (
    lib:
    let
      all = import ./takers.nix lib {
        services = {
          choiros.ingress.kind = "gateway";
          caddy.enable = false;
        };
        systemd.sockets = {
          choiros-hypervisor-https.listenStreams = [ "443" ];
          choiros-hypervisor-http-redirect.listenStreams = [ "80" ];
        };
      };
      caddy = http: https: {
        services.caddy = {
          enable = true;
          httpPort = http;
          httpsPort = https;
        };
      };
    in
    all true {
      "Caddy" = caddy null null;
      "Caddy for TLS" = caddy 8080 443;
      "Caddy for HTTP" = caddy 80 8443;
      "another socket" = {
        systemd.sockets.web.listenStreams = [ "443" ];
      };
    }
    ++ all false {
      "our own sockets" = { };
      "Caddy elsewhere" = caddy 8080 8443;
    }
  );
  "a Caddy of the host's own on the gateway's ports is refused" = {
    config = beside { services.caddy.enable = true; };
    fails = "services.caddy takes port 80 or 443, which the hypervisor serves choir.example.org on. Give it other ports";
  };
  "nginx on the gateway's ports is refused" = {
    config = beside {
      services.nginx = {
        enable = true;
        virtualHosts."a.example.org" = { };
      };
    };
    fails = "services.nginx takes port 80 or 443, which the hypervisor serves choir.example.org on";
  };
  "a Caddy on other ports may stand beside the gateway" = {
    config = beside {
      services.caddy = {
        enable = true;
        httpPort = 8080;
        httpsPort = 8443;
        virtualHosts."blog.example.org".extraConfig = "respond hello";
      };
    };
    expect =
      c:
      c.services.caddy.virtualHosts ? "blog.example.org"
      && !(c.services.caddy.virtualHosts ? "choir.example.org");
  };
  "sites that nobody would serve any more are refused" = {
    config = beside { services.caddy.virtualHosts."blog.example.org".extraConfig = "respond hello"; };
    fails = ''services.caddy.virtualHosts."blog.example.org" would be served by nobody'';
  };
  "what is about Caddy is refused where there is none" = {
    config = acme { streamCloseDelay = "1h"; };
    fails = "services.choiros.ingress.streamCloseDelay is about Caddy";
  };
}
