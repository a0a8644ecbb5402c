# The dashboard, for a Grafana that this host has anyway.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (config.services) grafana prometheus;
in
{
  config = lib.mkIf (cfg.enable && cfg.monitoring.enable && grafana.enable) {
    services.grafana.provision = {
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
          options.path = ./dashboard.json;
        }
      ];
    };
  };
}
