{
  nodes.machine.imports = [
    ../hosts/limits.nix
    ../vm.nix
    (import ../disk.nix "xfs")
  ];
}
