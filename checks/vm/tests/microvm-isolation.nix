{
  scripts = [ "isolation" ];
  nodes.machine.imports = [
    ../hosts/microvm.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
