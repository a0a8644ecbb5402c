{
  nodes.machine.imports = [
    ../hosts/releases.nix
    ../vm.nix
  ];
}
