{
  nodes.machine.imports = [
    ../hosts/releases.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
