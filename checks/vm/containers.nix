{
  nodes.machine.imports = [
    ./common/host.nix
    ./common/vm.nix
  ];
}
