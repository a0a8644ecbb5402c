{
  nodes.machine.imports = [
    ../hosts/rollout.nix
    ../vm.nix
  ];
  nodes.client.imports = [ ../client.nix ];
}
