{
  nodes.machine.imports = [
    ../hosts/kinds.nix
    ../vm.nix
    { virtualisation.memorySize = 4096; }
  ];
  nodes.client.imports = [ ../client.nix ];
}
