{
  scripts = [ "containers" ];
  nodes.machine.imports = [
    ../hosts/microvm.nix
    ../vm.nix
    { virtualisation.memorySize = 4096; }
  ];

}
