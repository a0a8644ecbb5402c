# The hypervisor as the one that ends TLS, and what both kinds of ingress promise.
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
  socket = c: name: c.systemd.sockets.${name};
  ours = [
    "choiros-hypervisor-http"
    "choiros-hypervisor-https"
    "choiros-hypervisor-http-redirect"
  ];
  host = c: c.services.caddy.virtualHosts."choir.example.org".extraConfig;
  # a host with these things of its own, behind Caddy or behind the gateway
  behind =
    settings: more:
    with' {
      imports = [
        ../foreign/stand-ins.nix
        more
      ];
      security.acme.acceptTerms = true;
    } settings;
  besideCaddy = behind { };
  beside = behind (gateway { });
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
  "redirect domains answer 308" = {
    config = on {
      redirectDomains = [
        "example.org"
        "www.example.org"
      ];
    };
    expect =
      c:
      builtins.all
        (d: c.services.caddy.virtualHosts.${d}.extraConfig == "redir https://choir.example.org{uri} 308")
        [
          "example.org"
          "www.example.org"
        ];
  };
  "browsers are told to stay with TLS" = {
    config = on { };
    expect = c: says (host c) "Strict-Transport-Security";
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
  "who takes Caddy's ports" = reckoned (
    lib:
    let
      all = import ./takers.nix lib { };
      service = name: more: {
        services.${name} = {
          enable = true;
        }
        // more;
      };
      site = name: host: service name { virtualHosts."a.example.org" = host; };
      published = port: { virtualisation.oci-containers.containers.web.ports = [ port ]; };
    in
    all true {
      nginx = site "nginx" { };
      "nginx with TLS alone" = site "nginx" {
        listen = [
          {
            addr = "0.0.0.0";
            port = 443;
          }
        ];
      };
      httpd = site "httpd" { };
      traefik = service "traefik" { staticConfigOptions.entryPoints.secure.address = ":443"; };
      haproxy = service "haproxy" { config = "frontend a\n  bind *:80\n  default_backend b"; };
      lighttpd = service "lighttpd" { port = 80; };
      "a published port" = published "80:8080";
      "a published port of one address" = published "0.0.0.0:443:8443/tcp";
      "a certificate's own server" = {
        security.acme.certs.mail.listenHTTP = ":80";
      };
      "a socket" = {
        systemd.sockets.web.listenStreams = [ "[::]:80" ];
      };
      "another container" = {
        containers.web.forwardPorts = [ { hostPort = 443; } ];
      };
    }
    ++ all false {
      "nginx that is off" = {
        services.nginx.virtualHosts."a.example.org" = { };
      };
      "nginx without a site" = service "nginx" { };
      "nginx by its default" = lib.recursiveUpdate (site "nginx" { }) {
        services.nginx.defaultHTTPListenPort = 8080;
      };
      "nginx on a socket" = site "nginx" {
        listen = [
          {
            addr = "unix:/run/nginx.sock";
            port = null;
          }
        ];
      };
      httpd = site "httpd" { listen = [ { port = 8080; } ]; };
      traefik = service "traefik" { staticConfigOptions.entryPoints.web.address = "127.0.0.1:8080"; };
      haproxy = service "haproxy" { config = "frontend a\n  bind 127.0.0.1:8080"; };
      "a published port" = published "127.0.0.1:8080:80";
      "a certificate's own server" = {
        security.acme.certs.mail.listenHTTP = ":1360";
      };
      "a certificate" = {
        security.acme.certs.mail.listenHTTP = null;
      };
      "a socket" = {
        systemd.sockets.web.listenStreams = [
          "/run/web.sock"
          "8080"
        ];
      };
      "another container" = {
        containers.web.forwardPorts = [ { hostPort = 8080; } ];
      };
    }
  );
  "nginx on Caddy's ports is refused" = {
    config = besideCaddy {
      services.nginx = {
        enable = true;
        virtualHosts."a.example.org" = { };
      };
    };
    fails = "services.nginx takes port 80 or 443";
  };
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
}
