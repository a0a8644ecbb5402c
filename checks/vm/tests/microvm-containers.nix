{
  scripts = [ "containers" ];
  nodes.machine.imports = [
    ../hosts/microvm.nix
    ../vm.nix
  ];

}
