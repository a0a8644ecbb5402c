{
  nodes.machine.imports = [
    ../hosts/shared.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
