# What a bootable system wants, and a case needn't say.
pkgs:
{ lib, ... }:
{
  imports = [ ((import ../../modules/inside).packages pkgs) ];
  # the system inside a sandbox is a name here: hosts and VM tests evaluate such systems, at two seconds each
  options.containers = lib.mkOption {
    type = lib.types.attrsOf (
      lib.types.submodule {
        config.path = lib.mkForce "${builtins.storeDir}/${lib.strings.replicate 32 "0"}-inside";
      }
    );
  };
  config = {
    fileSystems."/" = {
      device = lib.mkDefault "/dev/disk/by-label/nixos";
      fsType = lib.mkDefault "ext4";
    };
    boot.loader.grub.device = lib.mkDefault "/dev/vda";
    system.stateVersion = lib.mkDefault "26.05";
    nixpkgs.hostPlatform = lib.mkDefault pkgs.stdenv.hostPlatform.system;
  };
}
