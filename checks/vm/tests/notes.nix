{
  nodes.machine.imports = [
    ../hosts/notes.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
