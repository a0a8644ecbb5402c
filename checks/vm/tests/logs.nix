{
  nodes.machine.imports = [
    ../hosts/plain.nix
    ../vm.nix
  ];
}
