{
  nodes.machine.imports = [
    ../hosts/slow.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
