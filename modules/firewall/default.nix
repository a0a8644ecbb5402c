# Who reaches the host, and whom the sandboxes reach.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./host.nix
    ./sandboxes.nix
    ./guard.nix
  ];
}
