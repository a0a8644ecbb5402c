{
  scripts = [ "promote" ];
  nodes.machine.imports = [
    ../hosts/microvm.nix
    ../hosts/releases.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
