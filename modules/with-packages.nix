# The module with packages to run: what a host imports. It changes nothing of the host's nixpkgs.
{
  packagesOf,
  # the source of microvm.nix, if whoever takes the module has one for it
  microvm ? null,
}:
{
  _class = "nixos";
  _file = ./with-packages.nix;
  # imported twice is imported once, and `disabledModules` knows it
  key = "choiros";
  imports = [
    ./.
    (
      { lib, pkgs, ... }:
      {
        services.choiros = {
          package = lib.mkDefault (packagesOf pkgs).hypervisor;
          sandboxPackage = lib.mkDefault (packagesOf pkgs).sandbox;
          microvm.source = lib.mkDefault microvm;
        };
      }
    )
  ];
}
