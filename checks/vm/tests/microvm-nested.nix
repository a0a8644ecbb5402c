# With Cloud Hypervisor, on a machine whose own virtual machines may have some, too.
{
  scripts = [ "containers" ];
  nodes.machine = {
    imports = [
      ../hosts/microvm.nix
      ../vm.nix
    ];
    services.choiros.microvm.emulate = false;
    virtualisation.qemu.options = [ "-cpu host" ];
  };
}
