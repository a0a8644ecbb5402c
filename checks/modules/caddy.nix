{
  on,
  with',
  reckoned,
  says,
  ...
}:
let
  host = c: c.services.caddy.virtualHosts."choir.example.org".extraConfig;
  sandboxes = c: c.services.caddy.virtualHosts.choiros-sandboxes;
in
{
  "Caddy carries the domain to the hypervisor" = {
    config = on { };
    expect = c: says (host c) "reverse_proxy unix//run/choiros-ingress/http.sock [{]";
  };
  "no other user of the host speaks in its name" = {
    config = with' {
      services.caddy.group = "web";
      users.groups.web = { };
    } { };
    expect =
      c:
      builtins.elem "/run/choiros-ingress/http.sock" c.systemd.sockets.choiros-hypervisor.listenStreams
      && c.systemd.sockets.choiros-hypervisor.socketConfig.SocketGroup == "web"
      && c.systemd.sockets.choiros-hypervisor.socketConfig.SocketMode == "0660"
      && !(c.services.choiros.settings.server ? trusted_proxies);
  };
  "clients can't speak in the proxy's name" = {
    config = on { };
    expect =
      c: says (host c) "request_header -X-ChoirOS-[*]" && says (host c) "request_header -Forwarded";
  };
  "a crash of the hypervisor is bridged" = {
    config = on { };
    expect = c: says (host c) "lb_try_duration";
  };
  "a reload keeps WebSockets, for as long as one says" = {
    config = on { ingress.streamCloseDelay = "1h"; };
    expect = c: says (host c) "stream_close_delay 1h";
  };
  "each sandbox's host gets a certificate when someone comes, if the gateway says that there is one" =
    {
      config = with' { services.choiros.settings.server.listen = "127.0.0.1:9191"; } {
        sandboxDomain = "sandboxes.example.net";
      };
      expect =
        c:
        [
          {
            name = "it is asked at its own socket";
            ok = says c.services.caddy.globalConfig "ask http://127.0.0.1:9191/api/hosts";
          }
          {
            # `*.sandboxes.example.net` as the site's name would have Caddy ask about each site below it
            name = "in a site without a name";
            ok = (sandboxes c).hostName == ":443" && says (sandboxes c).extraConfig "on_demand";
          }
          {
            name = "for these hosts alone";
            ok =
              says (sandboxes c).extraConfig "host [*][.]sandboxes[.]example[.]net"
              && says (sandboxes c).extraConfig "respond 421";
          }
        ]
        ++
          map
            (part: {
              name = "as the gateway's own: ${part}";
              ok = says (host c) part && says (sandboxes c).extraConfig part;
            })
            [
              "reverse_proxy unix//run/choiros-ingress/http.sock [{]"
              "request_header -X-ChoirOS-[*]"
              "request_header -Forwarded"
              "Strict-Transport-Security"
              "stream_close_delay 5m"
              "lb_try_duration"
            ];
    };
  "a site with a sandbox's host is refused" = {
    config = with' {
      services.caddy.virtualHosts."blog.example.org".serverAliases = [
        "https://sandbox-dev.choir.example.org"
      ];
    } { };
    fails = ''services.caddy.virtualHosts."blog.example.org" has the host of a sandbox'';
  };
  "a redirect from a sandbox's host is refused" = {
    config = on {
      redirectDomains = [ "www-dev.choir.example.org" ];
      workspaces.www.index = 2;
    };
    fails = ''services.caddy.virtualHosts."www-dev.choir.example.org" has the host of a sandbox'';
  };
  "a site for whatever host is refused beside the sandboxes'" = {
    config = with' { services.caddy.virtualHosts."https://".extraConfig = "respond hello"; } { };
    fails = ''services.caddy.virtualHosts."https://" is for all hosts that no other site has'';
  };
  "such a site may stand beside a wildcard, or where sandboxes have no hosts" = {
    config = with' { services.caddy.virtualHosts.":443".extraConfig = "respond hello"; } {
      origins = "shared";
    };
    expect = c: c.services.caddy.virtualHosts ? ":443";
  };
  "no certificate is made on demand where sandboxes have no hosts" = {
    config = on { origins = "shared"; };
    expect =
      c:
      !says c.services.caddy.globalConfig "on_demand"
      && !(c.services.caddy.virtualHosts ? choiros-sandboxes);
  };
  "a Caddy that cuts connections to change is refused" = {
    config = with' { services.caddy.enableReload = false; } { };
    fails = "services.caddy.enableReload is off";
  };
  "Caddy's administration is a socket of its own, and no port that each user of the host reaches" = {
    config = on { };
    expect =
      c:
      says c.services.caddy.globalConfig "admin unix//run/caddy/admin.sock[|]0600"
      && c.systemd.services.caddy.serviceConfig.RuntimeDirectory == "caddy"
      && c.systemd.services.caddy.serviceConfig.RuntimeDirectoryMode == "0700"
      # held against Caddy when the host is built
      && builtins.length c.system.checks >= 2;
  };
  "a configuration that needs the host's own files needn't be" = {
    config = on { ingress.checkConfig = false; };
    expect = c: builtins.any (check: says (check.name or "") "hypervisor") c.system.checks;
  };
  "the host's own sites, server options and another server behind them stand beside ours" = {
    config = with' {
      imports = [ ../foreign/stand-ins.nix ];
      services.nginx = {
        enable = true;
        virtualHosts."a.example.org".listen = [
          {
            addr = "127.0.0.1";
            port = 8080;
          }
        ];
      };
      services.caddy = {
        globalConfig = ''
          servers :8080 {
            protocols h1
          }
        '';
        virtualHosts."blog.example.org".extraConfig = "respond hello";
        extraConfig = "http://old.example.org:8080 { respond bye }";
      };
    } { };
    expect = c: c.services.caddy.virtualHosts ? "blog.example.org";
  };
  "server options are those of 443 and 80" = {
    config = on { ingress.serverOptions = "trusted_proxies static 198.51.100.0/24"; };
    expect =
      c:
      builtins.length (
        builtins.split "trusted_proxies static 198.51.100.0/24" c.services.caddy.globalConfig
      ) == 5;
  };
  "a file in place of what the modules say of Caddy is refused" = {
    config =
      { pkgs, ... }:
      {
        imports = [ (on { }) ];
        services.caddy.configFile = pkgs.writeText "Caddyfile" "";
      };
    fails = "services.caddy.configFile or services.caddy.settings stands in";
  };
  "another port for all sites is refused" = {
    config = with' { services.caddy.httpsPort = 8443; } { };
    fails = "would be served on 80 and 8443, and people come to 80 and 443";
  };
  "another administration of Caddy is refused" = {
    config = with' { services.caddy.globalConfig = "admin off"; } { };
    fails = "services.caddy.globalConfig: `admin`";
  };
  "which global options would take the site away" = reckoned (
    lib:
    let
      foreign = import ../../modules/lib/caddy-globals.nix { inherit lib; };
      ours = "admin unix//run/caddy/admin.sock|0600\nservers :443 {\n}\nservers :80 {\n}\non_demand_tls {\n}\n";
      all =
        expected:
        map (text: {
          name = text;
          ok = (foreign (ours + text) == [ ]) == expected;
        });
    in
    all false [
      "admin off"
      "\tadmin localhost:2019"
      "auto_https off"
      "auto_https disable_redirects"
      "auto_https disable_certs"
      "https_port 8443"
      "http_port 8080"
      "default_bind 127.0.0.1"
      "servers {\n metrics\n}"
      "servers :443 {\n protocols h1\n}"
      "servers :80 {\n protocols h1\n}"
      "on_demand_tls {\n ask http://127.0.0.1:5555/\n}"
    ]
    ++ all true [
      ""
      "grace_period 5s"
      "auto_https prefer_wildcard"
      "servers :8443 {\n}"
      "# admin off"
    ]
  );
  "a redirect to itself is refused" = {
    config = on { redirectDomains = [ "choir.example.org" ]; };
    fails = "would redirect to itself";
  };
  "Caddy tells them what the option says, or nothing" = {
    config = on { ingress.hstsSecs = 0; };
    expect =
      c: !says c.services.caddy.virtualHosts."choir.example.org".extraConfig "Strict-Transport-Security";
  };
  "sites that nobody would serve any more are refused" = {
    config = with' { services.caddy.virtualHosts."blog.example.org".extraConfig = "respond hello"; } {
      ingress.kind = "gateway";
    };
    fails = ''services.caddy.virtualHosts."blog.example.org" would be served by nobody'';
  };
  "what is about Caddy is refused where there is none" = {
    config = on {
      ingress = {
        kind = "gateway";
        streamCloseDelay = "1h";
      };
    };
    fails = "services.choiros.ingress.streamCloseDelay is about Caddy";
  };
}
