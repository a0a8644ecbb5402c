# Hosts that people really have, with our module added: whole, and with nothing of theirs or ours lost.
{ says, ... }:
let
  has =
    c:
    c.containers ? sandbox-live
    && c.services.caddy.virtualHosts ? "choir.example.org"
    && says c.networking.firewall.extraInputRules "ip saddr 198.51.100.7/32 tcp dport 22 accept"
    &&
      c.networking.firewall.allowedTCPPorts == [
        80
        443
      ];
  host = folder: more: {
    config = folder;
    expect = c: has c && more c;
  };
in
{
  "a server as profiles set one up is whole" = host ../foreign/server.nix (
    c: builtins.head (builtins.attrNames c.systemd.network.networks) == "00-choiros"
  );
  "a dedicated server with systemd-networkd is whole" = host ../foreign/networkd.nix (
    c: c.systemd.network.networks."00-choiros".linkConfig.Unmanaged
  );
  "a host with its root in memory is whole" = host ../foreign/impermanence.nix (
    c: c.fileSystems."/var/lib/choiros".device == "/persist/var/lib/choiros"
  );
  "a host with Docker is whole" = host ../foreign/docker.nix (c: c.virtualisation.docker.enable);
  "a host with sites of its own is whole" = host ../foreign/sites.nix (
    c:
    c.services.caddy.email == "ops@example.org"
    && says c.services.caddy.virtualHosts."choir.example.org".extraConfig "encode zstd gzip"
    && says c.services.caddy.virtualHosts."choir.example.org".extraConfig "reverse_proxy"
  );
}
