# Who else on the host would take port 80 or 443, as far as the configuration says: names of settings.
{ lib, config }:
let
  inherit (config) services;
  takes = lib.any (
    port:
    lib.elem port [
      80
      443
    ]
  );
  # of 80, :80, 0.0.0.0:80, [::]:80
  portOf =
    address:
    let
      found = builtins.match "(.*[^0-9])?([0-9]+)" (toString address);
    in
    if found == null then null else lib.toInt (lib.last found);
  on = service: services.${service}.enable or false;

  hosts = service: lib.attrValues (services.${service}.virtualHosts or { });
  withTls = host: host.addSSL or false || host.forceSSL or false || host.onlySSL or false;
  isUnix = l: lib.hasPrefix "unix:" (toString (l.addr or ""));
  or' = default: value: if value == null then default else value;
  inherit (services.choiros.ingress or { kind = "caddy"; }) kind;
  ours = [
    "choiros-hypervisor-http-redirect"
    "choiros-hypervisor-https"
  ];
  nginx =
    host:
    if (host.listen or [ ]) != [ ] then
      map (l: or' 80 (l.port or null)) (lib.filter (l: !isUnix l) host.listen)
    else
      [ (services.nginx.defaultHTTPListenPort or 80) ]
      ++ lib.optional (withTls host) (services.nginx.defaultSSLListenPort or 443);
  httpd =
    host:
    if (host.listen or [ ]) != [ ] then
      map (l: or' 80 (l.port or null)) host.listen
    else
      [ (if withTls host then 443 else 80) ];

  entryPoints = lib.attrValues (services.traefik.staticConfigOptions.entryPoints or { });
  traefik = map (e: portOf (lib.removeSuffix "/tcp" (e.address or ":80"))) entryPoints;
  haproxyBinds =
    line: builtins.match "[ \t]*bind[ \t]+([^ \t]*,)?[^ \t,]*:(80|443)([ \t,].*|)" line != null;

  # [ADDRESS:]PORT:INSIDE[/PROTOCOL], as `docker run --publish` takes it
  published =
    text:
    let
      parts = lib.splitString ":" (lib.head (lib.splitString "/" text));
    in
    if lib.length parts < 2 then null else portOf (lib.last (lib.init parts));
  named =
    setting: taker: set:
    map setting (lib.attrNames (lib.filterAttrs (_: taker) set));
in
lib.optional (
  kind == "gateway"
  && on "caddy"
  && takes [
    (or' 80 services.caddy.httpPort)
    (or' 443 services.caddy.httpsPort)
  ]
) "services.caddy"
++ lib.optional (on "nginx" && takes (lib.concatMap nginx (hosts "nginx"))) "services.nginx"
++ lib.optional (on "httpd" && takes (lib.concatMap httpd (hosts "httpd"))) "services.httpd"
++ lib.optional (on "traefik" && (entryPoints == [ ] || takes traefik)) "services.traefik"
++ lib.optional (
  on "haproxy"
  && lib.any haproxyBinds (lib.splitString "\n" (toString (services.haproxy.config or "")))
) "services.haproxy"
++
  lib.concatMap
    (
      service:
      lib.optional (on service && takes [ (services.${service}.port or 80) ]) "services.${service}"
    )
    [
      "lighttpd"
      "darkhttpd"
      "h2o"
    ]
++ named (name: "security.acme.certs.${name}.listenHTTP") (
  cert: takes [ (portOf (or' "" (cert.listenHTTP or null))) ]
) config.security.acme.certs
++ named (name: "virtualisation.oci-containers.containers.${name}.ports") (
  c: takes (map published (c.ports or [ ]))
) (config.virtualisation.oci-containers.containers or { })
++ named (name: "containers.${name}.forwardPorts") (
  c: takes (map (p: p.hostPort) c.forwardPorts)
) config.containers
++ named (name: "systemd.sockets.${name}") (
  s: takes (map portOf (s.listenStreams or [ ] ++ lib.toList (s.socketConfig.ListenStream or [ ])))
) (lib.removeAttrs config.systemd.sockets ours)
