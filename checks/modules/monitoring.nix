{ on, with', ... }:
let
  grafana = with' {
    services.grafana = {
      enable = true;
      settings.security.secret_key = "$__file{/run/secrets/grafana}";
    };
  };
  ours = c: builtins.filter (job: job.job_name == "choiros") c.services.prometheus.scrapeConfigs;
in
{
  "nobody watches unless asked to" = {
    config = on { };
    expect = c: !c.services.prometheus.enable && ours c == [ ];
  };
  "Prometheus asks the gateway over loopback, has our alerts, and is for this host alone" = {
    config = on { monitoring.enable = true; };
    expect =
      c:
      let
        inherit (c.services) prometheus;
      in
      prometheus.enable
      && prometheus.listenAddress == "127.0.0.1"
      && prometheus.port == 9091
      && (builtins.head (builtins.head (ours c)).static_configs).targets == [ "127.0.0.1:9090" ]
      && builtins.any (file: baseNameOf file == "rules.yml") prometheus.ruleFiles
      && !(c.services.grafana.provision.enable or false);
  };
  "it asks below the prefix of the gateway's own pages" = {
    config = on {
      origins = "shared";
      gatewayPrefix = "/.choiros";
      monitoring.enable = true;
    };
    expect = c: (builtins.head (ours c)).metrics_path == "/.choiros/metrics";
  };
  "a Prometheus at the gateway's port is refused" = {
    config = with' { services.prometheus.port = 9090; } { monitoring.enable = true; };
    fails = "port 9090 is taken by services.prometheus.port";
  };
  "a Grafana that is there anyway gets the dashboard" = {
    config = grafana { monitoring.enable = true; };
    expect =
      c:
      let
        inherit (c.services.grafana) provision;
        source = builtins.head provision.datasources.settings.datasources;
      in
      provision.enable
      && source.url == "http://127.0.0.1:9091"
      && builtins.any (
        it: baseNameOf it.options.path == "dashboard.json"
      ) provision.dashboards.settings.providers;
  };
}
