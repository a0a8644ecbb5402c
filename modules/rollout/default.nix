# A deployment's way to the people: into dev, and by a swap to live.
{
  imports = [
    ./options.nix
    ./service.nix
  ];
}
