# The host around us: what it must have, and what of it keeps its hands off the sandboxes' links and files.
{
  imports = [
    ./options.nix
    ./links.nix
    ./addresses.nix
    ./storage.nix
    ./kernel.nix
  ];
}
