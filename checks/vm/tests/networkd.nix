{
  nodes.machine.imports = [
    ../hosts/networkd.nix
    ../vm.nix
  ];
}
