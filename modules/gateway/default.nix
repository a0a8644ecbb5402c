# Who may come in, and under which name.
{
  imports = [
    ./options.nix
    ./assertions.nix
  ];
}
