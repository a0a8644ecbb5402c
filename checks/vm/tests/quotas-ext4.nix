{
  nodes.machine.imports = [
    ../hosts/limits.nix
    ../vm.nix
    (import ../disk.nix "ext4")
  ];
  scripts = [ "quotas" ];
}
