{
  nodes.machine.imports = [
    ../hosts/kinds.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
