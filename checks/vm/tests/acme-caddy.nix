# What `acme` tries, with Caddy in front of the hypervisor.
{ inputs, lib, ... }:
{
  scripts = [ "acme" ];
  nodes = lib.mkMerge [
    (import ../acme.nix inputs)
    {
      machine.imports = [
        ../hosts/acme-caddy.nix
        ../vm.nix
      ];
    }
  ];
}
