# What the host must have for containers, and where our files are: on file systems that can be mounted with mapped ids,
# and that are there after a reboot, too.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (import ./lib/plan.nix { inherit lib; }) folders;
  mounts = import ./lib/mounts.nix { inherit lib config; };
  inherit (config.boot.kernel) sysctl;
  kernel = config.boot.kernelPackages.kernel.version;

  mapping = import ./lib/id-mapping.nix { inherit lib; };
  # the places that a sandbox has mounted with mapped ids
  volumes = map mounts.of ([ folders.sandboxes ] ++ lib.optional (cfg.slots > 0) folders.slots);
  unmapped = lib.filter (mount: mapping.never mount.fsType) volumes;
  data = lib.head unmapped;
  store = mounts.of "/nix/store";
  tooOld = lib.filter (mount: mapping.tooOld kernel mount.fsType) (volumes ++ [ store ]);
  old = lib.head tooOld;

  lost = mounts.lost (
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
  options.services.choiros.acceptEphemeralState = lib.mkOption {
    type = lib.types.bool;
    default = false;
    example = true;
    description = "Confirms that accounts, passkeys, the sandboxes' data and certificates may be gone after a reboot: for machines that are thrown away.";
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = config.boot.enableContainers;
        message = "boot.enableContainers is off, but sandboxes are containers. Leave it out.";
      }
      {
        assertion =
          config.security.allowUserNamespaces && toString (sysctl."user.max_user_namespaces" or 1) != "0";
        message = "security.allowUserNamespaces is off, or boot.kernel.sysctl.\"user.max_user_namespaces\" is 0, but each sandbox has users of its own by a user namespace. Leave it on.";
      }
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

    # loaded while loading is allowed: security.lockKernelModules forbids it once the host is up, and dev starts later
    boot.kernelModules = [ "veth" ];

    # a store of the machine's own, that can be mapped, for whoever tries the host by `nixos-rebuild build-vm`
    virtualisation.vmVariant.virtualisation = {
      useNixStoreImage = lib.mkDefault true;
      writableStore = lib.mkDefault false;
    };

  };
}
