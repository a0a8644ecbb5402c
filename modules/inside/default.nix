# The system inside a workspace's sandboxes, or inside those of all slots: nothing in it tells live from dev. Not a module
# of the host, but what makes one for the container. With `isolation = "microvm"` the container holds nothing but the
# monitor of a virtual machine, and what a workspace runs is the guest in it: to the host both are a container.
let
  # The inside has the host's packages, with its overlays and its `nixpkgs.config`, unless it has a configuration of its
  # own.
  packages =
    pkgs:
    { lib, config, ... }:
    {
      nixpkgs.pkgs = lib.mkIf (config.nixpkgs.config == { }) (lib.mkDefault pkgs);
    };

  # where the service runs
  workplace = host: sandbox: {
    imports = [
      (packages host.pkgs)
      (import ./base.nix host sandbox)
      (import ./owner.nix sandbox)
      (
        if sandbox.options.config == null then import ./service.nix host sandbox else sandbox.options.config
      )
    ];
  };

  # the virtual machine around it, as the program that runs it
  runner =
    host: sandbox:
    host.config.services.choiros.microvm.build [
      (workplace host sandbox)
      (import ./guest.nix host sandbox)
    ];
in
{
  inherit packages;

  # of a sandbox of the host whose { config, pkgs } these are
  system =
    host: sandbox:
    if sandbox.settings.isolation == "container" then
      workplace host sandbox
    else
      {
        imports = [
          (packages host.pkgs)
          (import ./base.nix host sandbox)
          (import ./monitor.nix host sandbox (runner host sandbox))
        ];
      };
}
