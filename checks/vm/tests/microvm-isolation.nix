{
  scripts = [ "isolation" ];
  nodes.machine.imports = [
    ../hosts/microvm.nix
    ../vm.nix
    { virtualisation.memorySize = 4096; }
  ];
  nodes.client.imports = [ ../client.nix ];
}
