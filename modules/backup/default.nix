# Copies of every database, taken while they are in use, checked, and put back by one command.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./service.nix
    ./restore.nix
  ];
}
