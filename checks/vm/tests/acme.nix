{ inputs, lib, ... }:
{
  nodes = lib.mkMerge [
    (import ../acme.nix inputs)
    {
      machine.imports = [
        ../hosts/acme.nix
        ../vm.nix
      ];
    }
  ];
}
