{
  nodes.machine.imports = [
    ../hosts/seal.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
