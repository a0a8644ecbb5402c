{
  scripts = [ "promote" ];
  nodes.machine.imports = [
    ../hosts/microvm.nix
    ../hosts/releases.nix
    ../vm.nix
    { virtualisation.memorySize = 4096; }
  ];
  nodes.client.imports = [ ../client.nix ];
}
