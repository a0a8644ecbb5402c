{
  lib,
  config,
  pkgs,
  ...
}:
let
  hardening = import ../lib/hardening.nix;
  inherit (config.services) caddy;
  cfg = config.services.choiros;
  # for the two ports alone: sites of the host elsewhere stay as they are
  server = ''
    protocols h1 h2
    timeouts {
      read_header 10s
      idle 5m
    }
    ${cfg.ingress.serverOptions}
  '';
  inherit (cfg.ingress) hstsSecs;
  own = cfg.origins == "own";
  inherit (import ./certificates.nix { inherit config; }) source files;
  withFiles = "tls \"${files.cert}\" \"${files.key}\"\n";
  tls = lib.optionalString (source == "files") withFiles;
  proxied = ''
    header {
      ${lib.optionalString (hstsSecs > 0) "Strict-Transport-Security \"max-age=${toString hstsSecs}\""}
      -Server
    }
    # the hypervisor believes its proxy: what a client says in the proxy's name ends here
    request_header -X-ChoirOS-*
    request_header -Forwarded
    reverse_proxy unix/${cfg.ingress.socket} {
      flush_interval -1
      stream_close_delay ${cfg.ingress.streamCloseDelay}
      header_down -Server
      # a hypervisor that crashed is back before anyone notices
      lb_try_duration 10s
      lb_try_interval 100ms
    }
  '';
  sandboxes = "*.${cfg.sandboxDomain}";
  sandboxSite = {
    choiros-sandboxes = {
      hostName = if files != null then sandboxes else ":443";
      logFormat = "output file ${caddy.logDir}/access-sandboxes.log";
      extraConfig =
        if files != null then
          "${withFiles}${proxied}"
        else
          # A site for all hosts, and not `*.…`, which would have Caddy ask about each site of the host below that domain,
          # too (caddyserver/caddy#6996).
          ''
            tls {
              on_demand
            }
            @sandboxes host ${sandboxes}
            handle @sandboxes {
              ${proxied}
            }
            respond 421
          '';
    };
  };
  redirect = domain: {
    name = domain;
    value = {
      logFormat = null;
      extraConfig = "${tls}redir https://${cfg.domain}{uri} 308";
    };
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.ingress.kind == "caddy") {
    services.caddy = {
      enable = true;
      email = lib.mkIf (cfg.ingress.email != null) cfg.ingress.email;
      # before what the host says, so that what may be said twice is the host's
      globalConfig = lib.mkBefore ''
        ${lib.optionalString cfg.ingress.internalCa "local_certs\nskip_install_trust"}
        # whoever speaks to this socket rules Caddy, and reads its keys: not each user of the host, as on a port
        admin unix//run/caddy/admin.sock|0600
        grace_period 30s
        servers :443 {
          ${server}
        }
        servers :80 {
          ${server}
        }
        ${lib.optionalString (own && files == null) ''
          # a name that there is no sandbox of gets no certificate
          on_demand_tls {
            ask ${cfg.listen.url}/api/hosts
          }
        ''}
      '';
      virtualHosts = {
        ${cfg.domain}.extraConfig = "${tls}${proxied}";
      }
      // lib.optionalAttrs own sandboxSite
      // lib.listToAttrs (map redirect cfg.redirectDomains);
    };

    # the first to read what the world sends, so it is sealed as our own units are
    systemd.services.caddy.serviceConfig = hardening // {
      SupplementaryGroups = lib.optional (files != null) "choiros-certificate";
      RuntimeDirectory = "caddy";
      RuntimeDirectoryMode = "0700";
      AmbientCapabilities = [
        "" # what Caddy's own unit file gives it, and it doesn't need
        "CAP_NET_BIND_SERVICE" # 80 and 443
      ];
      CapabilityBoundingSet = "CAP_NET_BIND_SERVICE";
      PrivateUsers = false; # a capability of a private user namespace binds no low port
      ProcSubset = "all"; # the length of the accept queue is read from /proc/sys
      RestrictAddressFamilies = [
        "AF_UNIX"
        "AF_INET"
        "AF_INET6"
      ];
    };

    # what `caddy run` would refuse fails the build; certificates, logs and keys are there on the host alone
    system.checks =
      lib.optional
        (cfg.ingress.checkConfig && pkgs.stdenv.buildPlatform.system == pkgs.stdenv.hostPlatform.system)
        (
          pkgs.runCommand "caddy-config-check"
            {
              nativeBuildInputs = [
                caddy.package
                pkgs.jq
              ];
            }
            ''
              export HOME=$TMPDIR
              caddy adapt --adapter caddyfile --config ${caddy.configFile} |
                jq 'del(.logging, .apps.tls.certificates.load_files)' > caddy.json
              caddy validate --config caddy.json
              for host in ${lib.escapeShellArgs ([ cfg.domain ] ++ lib.optional own sandboxes)}; do
                jq -e --arg host "$host" '[.apps.http.servers[]
                  | select((.listen | index(":443")) and (.automatic_https.disable | not))
                  | .. | objects | .match[]?.host[]?] | index($host)' caddy.json > /dev/null || {
                  echo "$host is not served on port 443: see services.caddy.globalConfig and services.caddy.virtualHosts" >&2
                  exit 1
                }
              done
              touch $out
            ''
        );
  };
}
