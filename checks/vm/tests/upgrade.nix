{
  nodes.machine.imports = [
    ../hosts/upgrade.nix
    ../vm.nix
  ];
}
