# Prometheus on this host, which asks the gateway over loopback how it is, with our alerts; and the dashboard, for a
# Grafana that this host has anyway.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (config.services) grafana prometheus;
in
{
  options.services.choiros.monitoring.enable = lib.mkOption {
    type = lib.types.bool;
    default = false;
    example = true;
    description = "Whether a Prometheus on this host watches the gateway over loopback, on port 9091 unless `services.prometheus.port` says another, with the alerts of `docs/monitoring.md`. A Grafana on this host (`services.grafana.enable`) gets the dashboard.";
  };

  config = lib.mkIf (cfg.enable && cfg.monitoring.enable) {
    # the gateway believes whoever asks on this host, so that no token is needed, or given to another program
    services.prometheus = {
      enable = true;
      # nothing of it is for the network, and 9090 is the gateway's
      listenAddress = lib.mkDefault "127.0.0.1";
      port = lib.mkDefault 9091;
      scrapeConfigs = [
        {
          job_name = "choiros";
          metrics_path = "${toString cfg.settings.gateway_prefix}/metrics";
          static_configs = [ { targets = [ cfg.settings.server.listen ]; } ];
        }
      ];
      ruleFiles = [ ./monitoring/rules.yml ];
    };

    services.grafana.provision = lib.mkIf grafana.enable {
      enable = true;
      datasources.settings.datasources = [
        {
          name = "ChoirOS";
          type = "prometheus";
          uid = "choiros";
          url = "http://${prometheus.listenAddress}:${toString prometheus.port}";
        }
      ];
      dashboards.settings.providers = [
        {
          name = "ChoirOS";
          options.path = ./monitoring/dashboard.json;
        }
      ];
    };
  };
}
