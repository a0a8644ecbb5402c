# A deployment's way to the people: a release that dev is given, and that live is promoted to.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./service.nix
  ];
}
