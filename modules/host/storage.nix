# Where our files are: on file systems that can be mounted with mapped ids, and that are there after a reboot, too.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  mountOf = import ../lib/mounts.nix { inherit lib config; };
  kernel = config.boot.kernelPackages.kernel.version;

  inherit (import ../lib/plan.nix { inherit lib; }) folders;
  mapping = import ./mapping.nix { inherit lib; };
  # the places that a sandbox has mounted with mapped ids
  volumes = map mountOf ([ folders.sandboxes ] ++ lib.optional (cfg.slots > 0) folders.slots);
  unmapped = lib.filter (mount: mapping.never mount.fsType) volumes;
  data = lib.head unmapped;
  store = mountOf "/nix/store";
  tooOld = lib.filter (mount: mapping.tooOld kernel mount.fsType) (volumes ++ [ store ]);
  old = lib.head tooOld;

  lost = import ./kept.nix { inherit lib config; } (
    [
      "/var/lib/choiros"
      folders.releases
    ]
    ++ lib.optional (cfg.ingress.kind == "caddy") config.services.caddy.dataDir
    ++ lib.optional (config.security.acme.certs ? ${cfg.domain}) "/var/lib/acme"
    ++ lib.optional cfg.backup.enable cfg.backup.directory
  );
in
{
  config = lib.mkIf cfg.enable {
    # a store of the machine's own, that can be mapped, for whoever tries the host by `nixos-rebuild build-vm`
    virtualisation.vmVariant.virtualisation = {
      useNixStoreImage = lib.mkDefault true;
      writableStore = lib.mkDefault false;
    };

    assertions = [
      {
        assertion = unmapped == [ ];
        message = "services.choiros: /var/lib/choiros lies on ${data.mountPoint}, whose file system ${data.fsType} can't be mounted with mapped ids, so no sandbox could write its /data. Put /var/lib/choiros on ext4, xfs, btrfs or f2fs.";
      }
      {
        assertion = !mapping.never store.fsType;
        message = "services.choiros: /nix/store lies on ${store.mountPoint}, whose file system ${store.fsType} can't be mounted with mapped ids, so no sandbox could start. Put the store on ext4, xfs, btrfs, f2fs or erofs; in a virtual machine set virtualisation.useNixStoreImage = true and virtualisation.writableStore = false.";
      }
      {
        assertion = tooOld == [ ];
        message = "boot.kernelPackages: Linux ${kernel} can't mount ${old.mountPoint}, of type ${old.fsType}, with mapped ids; Linux ${mapping.first old.fsType} can. Set boot.kernelPackages = pkgs.linuxPackages.";
      }
      {
        assertion = cfg.acceptEphemeralState || lost == [ ];
        message = "services.choiros: ${toString lost} would be gone after a reboot, and with it accounts, passkeys, data or certificates: it lies on a root that is wiped at boot, or in memory. Keep it, for example by environment.persistence.\"/persist\".directories = [ ${
          lib.concatMapStringsSep " " (p: "\"${p}\"") lost
        } ] or a file system of its own; if that is what you want, set services.choiros.acceptEphemeralState = true.";
      }
    ];
  };
}
