# Prometheus on this host, which asks the gateway over loopback how it is, with our alerts; and what Grafana shows of it.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./prometheus.nix
    ./grafana.nix
  ];
}
