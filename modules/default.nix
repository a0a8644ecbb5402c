# ChoirOS host as a NixOS module: one file a concern, each with its options, its assertions, and what it does.
{
  _class = "nixos";
  imports = [
    ./gateway.nix
    ./workspaces.nix
    ./containers.nix
    ./microvm.nix
    ./slots.nix
    ./limits.nix
    ./logs.nix
    ./settings.nix
    ./hypervisor.nix
    ./cluster.nix
    ./polkit.nix
    ./ingress.nix
    ./certificates.nix
    ./caddy.nix
    ./firewall.nix
    ./seal.nix
    ./host.nix
    ./network.nix
    ./releases.nix
    ./volumes.nix
    ./rollout.nix
    ./backup.nix
    ./reliability.nix
    ./monitoring.nix
  ];
}
