{
  nodes.machine.imports = [
    ../hosts/plain.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
