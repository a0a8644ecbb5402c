# Backups of every volume and of the hypervisor's store, taken while they are in use, and checked.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./service.nix
    ./slots.nix
    ./restore.nix
  ];
}
