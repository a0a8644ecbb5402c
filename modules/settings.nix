# The hypervisor's TOML file: what it follows from, its check when the host is built, and where it listens on this host.
# A rule of the hypervisor's own stands there alone: `hypervisor check-config` refuses what it can't serve.
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
  inherit (import ./lib/plan.nix { inherit lib; }) folders;
  isSet = import ./lib/is-set.nix { inherit lib; };
  networks = import ./lib/networks.nix { inherit lib; };
  ssh = import ./lib/ssh.nix { inherit lib config; };
  inherit (config) services;
  format = pkgs.formats.toml { };

  # a key that is what an option of ours says, or follows from it
  following =
    name: type: value: description:
    mkOption {
      inherit type description;
      default = value;
      defaultText = lib.literalMD "what follows from `services.choiros.${name}`";
    };
  keys = {
    origins = following "origins" types.str cfg.origins "Whose origin the pages of a sandbox have.";
    registration = following "registration" types.str cfg.registration "Who may sign up.";
    sandbox_domain =
      following "sandboxDomain" (types.nullOr types.str)
        # where there are no hosts below it, for the hypervisor to refuse
        (
          if cfg.origins == "own" || isSet options.services.choiros.sandboxDomain then
            cfg.sandboxDomain
          else
            null
        )
        "The domain below which each sandbox has its host.";
    gateway_prefix =
      following "gatewayPrefix" (types.nullOr types.str) cfg.gatewayPrefix
        "The path below which the gateway's own pages are.";
    auth = {
      rp_id = following "rpId" types.str cfg.rpId "The domain that passkeys are bound to.";
      origin = following "domain" types.str "https://${cfg.domain}" "The gateway's origin.";
    };
    server = {
      listen = mkOption {
        type = types.str;
        default = "127.0.0.1:9090";
        example = "127.0.0.1:9191";
        description = "The address of loopback and the port at which this host itself finds the gateway.";
      };
      control_socket = mkOption {
        type = types.str;
        default = "/run/choiros/control.sock";
        description = "Where the operator's command finds the gateway.";
      };
      metrics_token_file = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The file with the bearer token that opens `/metrics` beyond loopback: the unit's credential, of `metricsTokenFile`.";
      };
    };
    store.path = mkOption {
      type = types.str;
      default = "${folders.hypervisor}/hypervisor.db";
      description = "The database of accounts, sessions and promotions.";
    };
  };

  runtime = {
    kind = "systemd";
    # who is live is always there; dev is started by the request that needs it
    idle_roles = [ "dev" ];
    # the container's own limit, and a little for the service inside
    start_secs = 75;
    # what choiros-firewall says: without the rules that keep sandboxes apart, none is started
    seal_file = "${folders.seal}/state";
    releases_dir = folders.releases;
    release_unit = "choiros-release-{sandbox}@{order}.service";
    volume_unit = "choiros-volume-{sandbox}@{order}.service";
    results_dir = folders.results;
    archive_days = cfg.archiveDays;
  }
  // lib.optionalAttrs (cfg.slots > 0) { streams_dir = folders.streams; }
  // lib.optionalAttrs cfg.backup.enable {
    # how old the newest ones are is told in the metrics
    backups_dir = cfg.backup.directory;
  };

  # how it is asked whether it is well
  asked =
    options:
    {
      health_path = options.health.path;
      inherit (options) identity;
    }
    // lib.filterAttrs (_: value: value != null) {
      health_status = options.health.status;
      health_host = options.health.host;
    };
  sandbox = s: { address = "${s.address}:${toString s.options.port}"; } // asked s.options;
  workspace = name: sandboxes: {
    inherit (cfg.workspaces.${name}) members;
    live = sandbox (lib.findFirst (s: s.role == "live") null sandboxes);
    dev = sandbox (lib.findFirst (s: s.role == "dev") null sandboxes);
  };
  slots = {
    table = "${cfg.slotFiles}/table";
    unit = "choiros-slot@{slot}.service";
    release_unit = "choiros-slot-release@{sandbox}:{order}.service";
    volume_unit = "choiros-slot-volume-{slot}@{sandbox}:{order}.service";
  }
  // asked cfg.slot;

  # what is no address with a port, the hypervisor refuses
  inherit (cfg.settings.server) listen;
  parts = builtins.match "(.*):([1-9][0-9]{0,4})" listen;
  inherit (cfg.listen) address port;
  v4 = networks.v4 address;
  isLoopback = address == "[::1]" || (v4 != null && networks.overlap v4 (networks.v4 "127.0.0.0/8"));
  # others that want a port of the host, and by which setting
  takers = [
    {
      name = "services.choiros.ingress";
      ports = [
        80
        443
      ];
    }
    {
      name = "services.openssh.ports";
      inherit (ssh) ports;
    }
  ]
  ++
    map
      (name: {
        name = "services.${name}.port";
        ports = lib.optional (services.${name}.enable or false) (services.${name}.port or null);
      })
      [
        "prometheus"
        "cockpit"
      ];
  colliding = lib.filter (taker: lib.elem port taker.ports) takers;
  computed =
    type: description: value:
    mkOption {
      inherit type description;
      default = value;
      readOnly = true;
      internal = true;
    };
in
{
  options.services.choiros = {
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf format.type;
        options = keys;
      };
      default = { };
      example = {
        auth.session_days = 7;
        log.json = true;
      };
      description = "Keys of the hypervisor's TOML file, over those that this module writes; `docs/configuration.md` has all of them. The build fails for a key or a value that the hypervisor refuses. Secrets don't belong here: the file is readable for all.";
    };

    configFile = computed types.path "The hypervisor's TOML file." (
      format.generate "hypervisor.toml" (lib.filterAttrsRecursive (_: value: value != null) cfg.settings)
    );

    listen = {
      address = computed types.str "The address at which this host itself finds the gateway." (
        if parts == null then listen else lib.head parts
      );
      port = computed (types.nullOr types.int) "Its port." (
        if parts == null then null else lib.toInt (lib.last parts)
      );
      url =
        computed types.str "The URL of the gateway's own pages there, without a slash at its end."
          "http://${listen}${toString cfg.settings.gateway_prefix}";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = port != null -> isLoopback;
        message = "services.choiros.settings.server.listen: ${address} is no address of loopback, and would be reached without TLS, or not at all. Use one such as \"127.0.0.1:9090\".";
      }
      {
        assertion = colliding == [ ];
        message = "services.choiros.settings.server.listen: port ${toString port} is taken by ${(lib.head colliding).name}. Use another for one of the two, such as \"127.0.0.1:9191\" for the gateway.";
      }
    ];

    services.choiros.settings = lib.mapAttrsRecursive (_: lib.mkDefault) (
      {
        inherit runtime;
        workspaces = lib.mapAttrs workspace (lib.groupBy (s: s.workspace) cfg.sandboxes);
      }
      // lib.optionalAttrs (cfg.slots > 0) { inherit slots; }
    );

    system.checks = import ./lib/build-checks.nix { inherit lib pkgs; } [
      (pkgs.runCommand "hypervisor-config-check" { } ''
        ${lib.getExe cfg.package} check-config --config ${cfg.configFile} > $out || {
          cat >&2 << 'END'
        What it names are keys of services.choiros.settings, which follow from services.choiros unless they are set there:
          auth.origin from domain, auth.rp_id from rpId, sandbox_domain from sandboxDomain, gateway_prefix from gatewayPrefix,
          workspaces.<name> from workspaces.<name>, slots from slots and slot, runtime.archive_days from archiveDays,
          store and cluster from cluster,
          tls from redirectDomains and ingress, tls.acme.accept_terms from security.acme.acceptTerms.
        END
          exit 1
        }
      '')
    ];
  };
}
