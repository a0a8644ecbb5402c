# ChoirOS host as a NixOS module: one folder a concern, each with its options, its assertions, and what it does.
{
  imports = [
    ./gateway
    ./origins
    ./workspaces
    ./slots
    ./limits
    ./logs
    ./hypervisor
    ./ingress
    ./firewall
    ./host
    ./releases
    ./volumes
    ./rollout
    ./backup
    ./reliability
    ./monitoring
  ];
}
