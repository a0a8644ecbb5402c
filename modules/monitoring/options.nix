{ lib, ... }:
{
  options.services.choiros.monitoring.enable = lib.mkOption {
    type = lib.types.bool;
    default = false;
    example = true;
    description = "Whether a Prometheus on this host watches the gateway over loopback, on port 9091 unless `services.prometheus.port` says another, with the alerts of `docs/monitoring.md`. A Grafana on this host (`services.grafana.enable`) gets the dashboard.";
  };
}
