# Workspaces: two containers each, their private networks, and their data.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./containers.nix
    ./data.nix
  ];
}
