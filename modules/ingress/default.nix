# The way in from the world: Caddy, with TLS.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./caddy.nix
  ];
}
