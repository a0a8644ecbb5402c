# The way in from the world, with TLS: Caddy, or the hypervisor itself.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./certificate.nix
    ./caddy.nix
    ./caddy-assertions.nix
    ./gateway.nix
    ./acme.nix
    ./internal-ca.nix
  ];
}
