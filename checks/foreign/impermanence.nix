# A host whose root is in memory, and which keeps what it names. `environment.persistence` is impermanence's, and so
# are the bind mounts that it makes of it.
{ lib, config, ... }:
let
  kept = lib.concatMap (p: p.directories) (lib.attrValues config.environment.persistence);
in
{
  imports = [
    ./choiros.nix
    ./stand-ins.nix
  ];
  environment.persistence."/persist".directories = [
    "/var/log"
    "/var/lib/nixos"
    "/var/lib/choiros"
    "/var/lib/caddy"
  ];
  fileSystems = {
    "/" = {
      device = "none";
      fsType = "tmpfs";
      options = [ "mode=755" ];
    };
    "/nix" = {
      device = "/dev/disk/by-label/nix";
      fsType = "btrfs";
      options = [ "subvol=nix" ];
      neededForBoot = true;
    };
    "/persist" = {
      device = "/dev/disk/by-label/nix";
      fsType = "btrfs";
      options = [ "subvol=persist" ];
      neededForBoot = true;
    };
  }
  // lib.listToAttrs (
    map (
      path:
      lib.nameValuePair path {
        device = "/persist${path}";
        fsType = "none";
        options = [ "bind" ];
        depends = [ "/persist" ];
      }
    ) kept
  );
  services.openssh.enable = true;
}
