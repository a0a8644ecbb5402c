{
  nodes.machine.imports = [
    ../hosts/consumer.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
