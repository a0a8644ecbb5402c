{
  on,
  with',
  says,
  ...
}:
let
  unit = c: c.systemd.services.choiros-hypervisor.serviceConfig;
in
{
  "units have the project's name, and a switch from the older one finds them running" = {
    config = on { };
    expect =
      c:
      c.systemd.services.choiros-hypervisor.aliases == [ "hypervisor.service" ]
      && c.systemd.sockets.choiros-hypervisor.aliases == [ "hypervisor.socket" ];
  };
  "the hypervisor is bound to loopback, behind its socket" = {
    config = on { };
    expect =
      c:
      c.services.choiros.settings.server.listen == "127.0.0.1:9090"
      && builtins.head c.systemd.sockets.choiros-hypervisor.listenStreams == "127.0.0.1:9090";
  };
  "the hypervisor is no root, and says when it is ready, and when a reload is done" = {
    config = on { };
    expect = c: (unit c).User == "choiros" && (unit c).Type == "notify-reload";
  };
  "a switch restarts the hypervisor and keeps its socket" = {
    config = on { };
    expect =
      c:
      c.systemd.services.choiros-hypervisor.notSocketActivated
      && !c.systemd.services.choiros-hypervisor.stopIfChanged;
  };
  "systemd runs the sandboxes, and only dev is stopped when idle" = {
    config = on { };
    expect =
      c:
      c.services.choiros.settings.runtime.kind == "systemd"
      && c.services.choiros.settings.runtime.idle_roles == [ "dev" ];
  };
  "each sandbox is found at its own address" = {
    config = on { };
    expect =
      c:
      let
        w = c.services.choiros.settings.workspaces.sandbox;
      in
      w.live.address == "10.233.1.2:8080" && w.dev.address == "10.233.2.2:8080";
  };
  "settings lie over what the module writes, and beside it" = {
    config = on {
      settings = {
        auth.session_days = 7;
        store.path = "/var/lib/choiros/hypervisor/other.db";
      };
    };
    expect =
      c:
      c.services.choiros.settings.auth.session_days == 7
      && c.services.choiros.settings.auth.rp_id == "choir.example.org"
      && c.services.choiros.settings.store.path == "/var/lib/choiros/hypervisor/other.db";
  };
  "the unit starts what the package says, with the file that was checked" = {
    config =
      { pkgs, ... }:
      {
        imports = [ (on { package = pkgs.hello; }) ];
      };
    expect =
      c: says (unit c).ExecStart "/bin/hello serve --config " && builtins.length c.system.checks > 0;
  };
  "a listener for the world is refused" = {
    config = on { settings.server.listen = "0.0.0.0:9090"; };
    fails = "would be reached without TLS, or not at all";
  };
  "without a metrics token no credential is asked for" = {
    config = on { };
    expect =
      c: !((unit c) ? LoadCredential) && c.services.choiros.settings.server.metrics_token_file == null;
  };
  "a metrics token is a credential, and its absence stops nothing" = {
    config = on { metricsTokenFile = "/run/secrets/metrics-token"; };
    expect =
      c:
      (unit c).LoadCredential == "metrics-token:/run/secrets/metrics-token"
      && (unit c).SetCredential == "metrics-token:\\n"
      &&
        c.services.choiros.settings.server.metrics_token_file
        == "/run/credentials/choiros-hypervisor.service/metrics-token";
  };
  "a secret in the store is refused" = {
    config = on { metricsTokenFile = "${builtins.storeDir}/00000000000000000000000000000000-token"; };
    fails = "as a string, of a file that is not in the Nix store";
  };
  "a secret as a path literal, which Nix would copy there, is refused" = {
    config = on { metricsTokenFile = ./hypervisor.nix; };
    fails = "as a string, of a file that is not in the Nix store";
  };
  "polkit lets the hypervisor manage its containers, by name, and nothing else" = {
    config = on { };
    expect = c: [
      {
        name = "enabled";
        ok = c.security.polkit.enable;
      }
      {
        name = "units";
        ok = says c.security.polkit.extraConfig ''\["container@sandbox-live.service","container@sandbox-dev.service"]'';
      }
      {
        name = "no other answer than yes to these, no to all else";
        ok = says c.security.polkit.extraConfig "polkit.Result.YES : polkit.Result.NO";
      }
    ];
  };
  "a listener that only begins like loopback is refused" = {
    config = on { settings.server.listen = "127.example.org:9090"; };
    fails = "127.example.org is no address of loopback";
  };
  "a listener on the port of what ends TLS is refused" = {
    config = on { settings.server.listen = "127.0.0.1:443"; };
    fails = "port 443 is taken by services.choiros.ingress";
  };
  "Prometheus on the gateway's port is refused" = {
    config = with' {
      imports = [ ../foreign/stand-ins.nix ];
      services.prometheus.enable = true;
    } { };
    fails = "port 9090 is taken by services.prometheus.port";
  };
  "Prometheus on another port is welcome" = {
    config = with' {
      imports = [ ../foreign/stand-ins.nix ];
      services.prometheus = {
        enable = true;
        port = 9095;
      };
    } { settings.server.listen = "[::1]:9090"; };
    expect = c: c.systemd.sockets.choiros-hypervisor.listenStreams != [ ];
  };
  "where this host finds the gateway follows from where it listens" = {
    config = on {
      origins = "shared";
      gatewayPrefix = "/.choiros";
      settings.server.listen = "[::1]:9191";
    };
    expect =
      c:
      c.services.choiros.listen.address == "[::1]"
      && c.services.choiros.listen.port == 9191
      && c.services.choiros.listen.url == "http://[::1]:9191/.choiros";
  };
  "an address without a port is the hypervisor's to refuse" = {
    config = on { settings.server.listen = "127.0.0.1"; };
    expect = c: c.services.choiros.listen.port == null;
  };
  "the hypervisor checks its file when the host is built, and who reads why it failed is told where to look" =
    {
      config = on { };
      expect =
        c:
        let
          check = builtins.head (
            builtins.filter (check: (check.name or "") == "hypervisor-config-check") c.system.checks
          );
        in
        says check.buildCommand "check-config --config ${c.services.choiros.configFile} "
        && says check.buildCommand "exit 1"
        && builtins.all (says check.buildCommand) [
          "services.choiros.settings"
          "auth.rp_id from rpId"
          "workspaces.<name> from workspaces.<name>"
          "tls.acme.accept_terms from security.acme.acceptTerms"
        ];
    };
  "a key that the module knows nothing of is the hypervisor's to judge, and stands beside the others" =
    {
      config = on { settings.server.no_such_key = true; };
      expect =
        c:
        c.services.choiros.settings.server.no_such_key
        && c.services.choiros.settings.server.listen == "127.0.0.1:9090"
        && c.services.choiros.settings.sandbox_domain == "choir.example.org";
    };
}
