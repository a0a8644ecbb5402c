# Caddy in front of the hypervisor, as what ends TLS; and what of the host's own would take our site off it, or Caddy off its
# ports.
{
  lib,
  config,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  inherit (cfg) ingress;
  inherit (ingress) files;
  inherit (config.services) caddy;
  isSet = import ./lib/is-set.nix { inherit lib; };
  own = cfg.origins == "own";

  # for the two ports alone: sites of the host elsewhere stay as they are
  server = ''
    protocols h1 h2
    timeouts {
      read_header 10s
      idle 5m
    }
    ${ingress.serverOptions}
  '';
  withFiles = "tls \"${files.cert}\" \"${files.key}\"\n";
  tls = lib.optionalString (ingress.source == "files") withFiles;
  proxied = ''
    header {
      ${lib.optionalString (
        ingress.hstsSecs > 0
      ) "Strict-Transport-Security \"max-age=${toString ingress.hstsSecs}\""}
      -Server
    }
    # the hypervisor believes its proxy: what a client says in the proxy's name ends here
    request_header -X-ChoirOS-*
    request_header -Forwarded
    reverse_proxy unix/${ingress.socket} {
      flush_interval -1
      stream_close_delay ${ingress.streamCloseDelay}
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

  # sites by their names
  named =
    names:
    lib.filter (
      site: site != "choiros-sandboxes" && lib.any (name: lib.elem name names) (namesOf site)
    ) (lib.attrNames caddy.virtualHosts);
  namesOf =
    site:
    let
      host = caddy.virtualHosts.${site};
    in
    map (lib.removePrefix "https://") ([ host.hostName ] ++ host.serverAliases);
  shadowing = named (
    lib.optionals own (
      lib.concatMap (name: [
        "${name}.${cfg.sandboxDomain}"
        "${name}-dev.${cfg.sandboxDomain}"
      ]) (lib.attrNames cfg.workspaces)
    )
  );
  catchAll = lib.optionals (own && files == null) (named [
    ""
    "*"
    ":443"
    "*:443"
  ]);
  foreign = import ./lib/caddy-globals.nix { inherit lib; } caddy.globalConfig;
  # what there is about Caddy where there is none
  sites = lib.attrNames caddy.virtualHosts;
  unused = lib.filter (name: isSet options.services.choiros.ingress.${name}) [
    "checkConfig"
    "serverOptions"
    "streamCloseDelay"
  ];
in
{
  options.services.choiros.ingress = {
    socket = mkOption {
      type = types.str;
      default = "/run/choiros-ingress/http.sock";
      readOnly = true;
      internal = true;
      description = "Where Caddy finds the hypervisor.";
    };

    checkConfig = mkOption {
      type = types.bool;
      default = config.services.caddy.environmentFile == null;
      defaultText = lib.literalExpression "config.services.caddy.environmentFile == null";
      example = false;
      description = "Whether `caddy adapt` and `caddy validate` have to accept the configuration when the host is built. Switch it off if yours needs a file or a variable that only the host has, such as a DNS provider's token.";
    };

    serverOptions = mkOption {
      type = types.lines;
      default = "";
      example = "trusted_proxies static 198.51.100.0/24";
      description = "Lines for the block `servers` of Caddy's global options, on ports 80 and 443: what a Caddyfile of yours would say there.";
    };

    streamCloseDelay = mkOption {
      type = types.strMatching "[0-9]+(s|m|h)";
      default = "5m";
      example = "1h";
      description = "For how long WebSockets outlive a reload of Caddy, in which it would otherwise cut them.";
    };
  };

  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      (lib.mkIf (ingress.kind == "gateway") {
        assertions = [
          {
            assertion = caddy.enable || sites == [ ];
            message = "services.caddy.virtualHosts.\"${lib.head sites}\" would be served by nobody: with services.choiros.ingress.kind = \"gateway\" there is no Caddy. Remove the site, or set the kind to \"caddy\".";
          }
          {
            assertion = unused == [ ];
            message = "services.choiros.ingress.${lib.head unused} is about Caddy, which isn't there with services.choiros.ingress.kind = \"gateway\". Remove one of the two.";
          }
        ];
      })

      (lib.mkIf (ingress.kind == "caddy") {
        assertions = [
          {
            assertion = caddy.enableReload;
            message = "services.caddy.enableReload is off, so each change of the configuration would cut all connections. Leave it on.";
          }
          {
            assertion = !isSet options.services.caddy.configFile && caddy.settings == { };
            message = "services.caddy.configFile or services.caddy.settings stands in for all that the host's modules say of Caddy, so ${cfg.domain} would not be served. Remove it, and write your sites as services.caddy.virtualHosts or services.caddy.extraConfig.";
          }
          {
            assertion = !caddy.resume;
            message = "services.caddy.resume makes Caddy start with what it served before, and not with what the configuration says. Remove it.";
          }
          {
            assertion =
              lib.elem caddy.httpPort [
                null
                80
              ]
              && lib.elem caddy.httpsPort [
                null
                443
              ];
            message = "services.caddy.httpPort and httpsPort: ${cfg.domain} would be served on ${toString caddy.httpPort} and ${toString caddy.httpsPort}, and people come to 80 and 443. Remove them; give a site of yours that wants another port that port in its name.";
          }
          {
            # two sites with one name would be one
            assertion = !lib.elem cfg.domain cfg.redirectDomains;
            message = "services.choiros.redirectDomains: ${cfg.domain} would redirect to itself. Leave services.choiros.domain out of the list.";
          }
          {
            assertion = shadowing == [ ];
            message = "services.caddy.virtualHosts.\"${lib.head shadowing}\" has the host of a sandbox, which would never be seen. Give the site another name, or set services.choiros.sandboxDomain to another domain.";
          }
          {
            assertion = catchAll == [ ];
            message = "services.caddy.virtualHosts.\"${lib.head catchAll}\" is for all hosts that no other site has, as the one that gives each sandbox's host its certificate. Name its hosts, or set services.choiros.ingress.certificates = \"wildcard\".";
          }
          {
            assertion = foreign == [ ];
            message = "services.caddy.globalConfig: `${lib.head foreign}` there holds for all of Caddy, and would take ${cfg.domain} off its ports, its certificates or its limits, or not reach it at all. Remove it; what a site of yours needs goes into its virtualHosts entry, and options of a block `servers` into services.choiros.ingress.serverOptions.";
          }
        ];

        services.caddy = {
          enable = true;
          email = lib.mkIf (ingress.email != null) ingress.email;
          # before what the host says, so that what may be said twice is the host's
          globalConfig = lib.mkBefore ''
            ${lib.optionalString ingress.internalCa "local_certs\nskip_install_trust"}
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
        systemd.services.caddy.serviceConfig = import ./lib/hardening.nix // {
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
        system.checks = lib.optionals ingress.checkConfig (
          import ./lib/build-checks.nix { inherit lib pkgs; } [
            (pkgs.runCommand "caddy-config-check"
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
            )
          ]
        );
      })
    ]
  );
}
