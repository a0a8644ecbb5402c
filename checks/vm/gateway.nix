{
  nodes.machine.imports = [
    ./common/host.nix
    ./common/vm.nix
  ];
  nodes.client.imports = [ ./common/client.nix ];
}
