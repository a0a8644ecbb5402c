# What a bootable system wants, and a case needn't say.
{ lib, ... }:
{
  fileSystems."/" = {
    device = lib.mkDefault "/dev/disk/by-label/nixos";
    fsType = lib.mkDefault "ext4";
  };
  boot.loader.grub.device = lib.mkDefault "/dev/vda";
  system.stateVersion = lib.mkDefault "26.05";
  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
}
