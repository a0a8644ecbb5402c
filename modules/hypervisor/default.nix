# The gateway itself: its configuration, its unit, and what it may ask of systemd.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./settings.nix
    ./service.nix
    ./sockets.nix
    ./polkit.nix
  ];
}
