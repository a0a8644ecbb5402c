{ lib, config, ... }:
let
  hardening = import ../hardening.nix;
  cfg = config.services.choiros;
  redirect = domain: {
    name = domain;
    value = {
      logFormat = null;
      extraConfig = "redir https://${cfg.domain}{uri} 308";
    };
  };
in
{
  config = lib.mkIf cfg.enable {
    services.caddy = {
      enable = true;
      inherit (cfg.ingress) email;
      globalConfig = ''
        ${lib.optionalString cfg.ingress.internalCa "local_certs\nskip_install_trust"}
        grace_period 30s
        servers {
          protocols h1 h2
          timeouts {
            read_header 10s
            idle 5m
          }
        }
      '';
      virtualHosts = {
        ${cfg.domain}.extraConfig = ''
          header {
            Strict-Transport-Security "max-age=31536000"
            -Server
          }
          # the hypervisor believes its proxy: what a client says in the proxy's name ends here
          request_header -X-ChoirOS-*
          request_header -Forwarded
          reverse_proxy ${cfg.settings.server.listen} {
            flush_interval -1
            stream_close_delay ${cfg.ingress.streamCloseDelay}
            header_down -Server
            # a hypervisor that crashed is back before anyone notices
            lb_try_duration 10s
            lb_try_interval 100ms
          }
        '';
      }
      // lib.listToAttrs (map redirect cfg.redirectDomains);
    };

    # the first to read what the world sends, so it is sealed as our own units are
    systemd.services.caddy.serviceConfig = hardening // {
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
  };
}
