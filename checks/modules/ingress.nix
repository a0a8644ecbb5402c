{
  on,
  with',
  says,
  ...
}:
let
  host = c: c.services.caddy.virtualHosts."choir.example.org".extraConfig;
in
{
  "Caddy carries the domain to the hypervisor" = {
    config = on { };
    expect = c: says (host c) "reverse_proxy 127.0.0.1:9090";
  };
  "it carries it to where the hypervisor listens" = {
    config = on { settings.server.listen = "127.0.0.1:9191"; };
    expect = c: says (host c) "reverse_proxy 127.0.0.1:9191";
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
  "clients can't speak in the proxy's name" = {
    config = on { };
    expect =
      c: says (host c) "request_header -X-ChoirOS-[*]" && says (host c) "request_header -Forwarded";
  };
  "browsers are told to stay with TLS" = {
    config = on { };
    expect = c: says (host c) "Strict-Transport-Security";
  };
  "a crash of the hypervisor is bridged" = {
    config = on { };
    expect = c: says (host c) "lb_try_duration";
  };
  "a reload keeps WebSockets, for as long as one says" = {
    config = on { ingress.streamCloseDelay = "1h"; };
    expect = c: says (host c) "stream_close_delay 1h";
  };
  "certificates are from the world's authorities, and mail goes to the operator" = {
    config = on { ingress.email = "ops@example.org"; };
    expect =
      c: c.services.caddy.email == "ops@example.org" && !says c.services.caddy.globalConfig "local_certs";
  };
  "no certificate is made on demand" = {
    config = on { };
    expect = c: !says c.services.caddy.globalConfig "on_demand";
  };
  "tests have an authority of their own" = {
    config = on {
      domain = "choir";
      ingress.internalCa = true;
    };
    expect = c: says c.services.caddy.globalConfig "local_certs";
  };
  "a name that no authority vouches for is refused" = {
    config = on { domain = "choir"; };
    fails = "services.choiros.ingress.internalCa = true";
  };
  "a Caddy that cuts connections to change is refused" = {
    config = with' { services.caddy.enableReload = false; } { };
    fails = "services.caddy.enableReload is off";
  };
}
