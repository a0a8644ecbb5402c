# Whose origin the pages of a sandbox have, and under which names people find them.
{
  imports = [
    ./options.nix
    ./assertions.nix
  ];
}
