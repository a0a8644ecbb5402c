# What `gateway` tries, and more, with the hypervisor in Caddy's place.
{
  scripts = [
    "gateway"
    "gateway-tls"
  ];
  nodes.machine.imports = [
    ../hosts/tls.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
