{
  nodes.machine.imports = [
    ../hosts/slots.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
