# The hypervisor's TOML file, and its check at build time.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (import ../lib/plan.nix { inherit lib; }) folders;
  format = pkgs.formats.toml { };
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
  slots = {
    table = "${cfg.slotFiles}/table";
    unit = "choiros-slot@{slot}.service";
    release_unit = "choiros-slot-release@{sandbox}:{order}.service";
    volume_unit = "choiros-slot-volume-{slot}@{sandbox}:{order}.service";
  }
  // asked cfg.slot;
  workspace = name: sandboxes: {
    inherit (cfg.workspaces.${name}) members;
    live = sandbox (lib.findFirst (s: s.role == "live") null sandboxes);
    dev = sandbox (lib.findFirst (s: s.role == "dev") null sandboxes);
  };
in
{
  config = lib.mkIf cfg.enable {
    services.choiros.settings = lib.mapAttrsRecursive (_: lib.mkDefault) (
      {
        inherit (cfg) origins registration;
        server = {
          listen = "127.0.0.1:9090";
          control_socket = "/run/choiros/control.sock";
        }
        // lib.optionalAttrs (cfg.metricsTokenFile != null) {
          metrics_token_file = "/run/credentials/choiros-hypervisor.service/metrics-token";
        };
        auth = {
          rp_id = cfg.rpId;
          origin = "https://${cfg.domain}";
        };
        store.path = "/var/lib/choiros/hypervisor/hypervisor.db";
        inherit runtime;
        workspaces = lib.mapAttrs workspace (lib.groupBy (s: s.workspace) cfg.sandboxes);
      }
      // lib.optionalAttrs (cfg.slots > 0) { inherit slots; }
      // lib.optionalAttrs (cfg.origins == "own") { sandbox_domain = cfg.sandboxDomain; }
      // lib.optionalAttrs (cfg.gatewayPrefix != null) { gateway_prefix = cfg.gatewayPrefix; }
    );

    services.choiros.configFile = format.generate "hypervisor.toml" cfg.settings;
    environment.etc."choiros/hypervisor.toml".source = cfg.configFile;

    # a build for another machine's processor can't run its program
    system.checks = lib.optional (pkgs.stdenv.buildPlatform.system == pkgs.stdenv.hostPlatform.system) (
      pkgs.runCommand "hypervisor-config-check" { } ''
        ${lib.getExe cfg.package} check-config --config ${cfg.configFile} | tee $out
      ''
    );
  };
}
