# The host around us, as people have it.
{
  on,
  with',
  reckoned,
  ...
}:
let
  standIns = ../foreign/stand-ins.nix;
  foreign =
    more:
    with' {
      imports = [
        standIns
        more
      ];
    } { };
  links = "ve-sandbox-live ve-sandbox-dev";
  root = fsType: { fileSystems."/".fsType = fsType; };
  rootWith = fsType: more: {
    fileSystems = {
      "/" = {
        device = "none";
        inherit fsType;
      };
      "/nix" = {
        device = "/dev/disk/by-label/nix";
        fsType = "ext4";
      };
    }
    // more;
  };
  bound = {
    fsType = "none";
    options = [ "bind" ];
  };
  persisted = {
    "/persist" = {
      device = "/dev/disk/by-label/persist";
      fsType = "btrfs";
    };
    "/var/lib/choiros" = bound // {
      device = "/persist/var/lib/choiros";
    };
    "/var/lib/caddy" = bound // {
      device = "/persist/var/lib/caddy";
    };
  };
in
{
  # -- links

  "systemd-networkd keeps off the sandboxes' links, whatever its other files match" = {
    config = with' {
      networking.useNetworkd = true;
      systemd.network.enable = true;
      systemd.network.networks."10-uplink" = {
        matchConfig.Type = "ether";
        networkConfig.DHCP = "yes";
      };
    } { };
    expect =
      c:
      let
        ours = c.systemd.network.networks."00-choiros";
      in
      builtins.head (builtins.attrNames c.systemd.network.networks) == "00-choiros"
      && ours.matchConfig == { Name = links; }
      && ours.linkConfig.Unmanaged;
  };
  "a file of systemd-networkd that is read before ours, and takes any link, is refused" = {
    config = with' {
      systemd.network.enable = true;
      systemd.network.networks."00-all".matchConfig.Type = "ether";
    } { };
    fails = ''systemd.network.networks."00-all" is read before our "00-choiros"'';
  };
  "one that takes a link by its name is none of ours" = {
    config = with' {
      networking.useNetworkd = true;
      systemd.network.enable = true;
      systemd.network.networks."00-a".matchConfig.Name = "enp1s0";
      systemd.network.networks."00-b".matchConfig.MACAddress = "00:11:22:33:44:55";
    } { };
    expect = c: c.systemd.network.networks ? "00-choiros";
  };
  "NetworkManager and dhcpcd keep off them, too" = {
    config = on { };
    expect =
      c:
      builtins.elem "interface-name:ve-sandbox-live" c.networking.networkmanager.unmanaged
      && builtins.elem "ve-sandbox-dev" c.networking.dhcpcd.denyInterfaces;
  };

  # -- addresses

  "an address of the host in the sandboxes' network is refused" = {
    config = with' {
      networking.interfaces.eth0.ipv4.addresses = [
        {
          address = "10.233.7.4";
          prefixLength = 14;
        }
      ];
    } { };
    fails = "networking.interfaces.eth0.ipv4: 10.233.7.4 lies in 10.233.0.0/16";
  };
  "a network of the host's that is a part of it is refused" = {
    config = with' {
      systemd.network.networks."10-lan" = {
        matchConfig.Name = "eth1";
        routes = [ { Destination = "10.233.200.0/24"; } ];
      };
    } { };
    fails = "systemd.network.networks.10-lan: 10.233.200.0/24 lies in";
  };
  "another container's address there is refused" = {
    config = with' {
      containers.other = {
        privateNetwork = true;
        hostAddress = "10.233.90.1";
        localAddress = "10.233.90.2";
        config.system.stateVersion = "26.05";
      };
    } { };
    fails = "containers.other: 10.233.90.1 lies in";
  };
  "a VPN's address there is refused" = {
    config = foreign {
      networking.wg-quick.interfaces.wg0 = {
        address = [ "10.233.9.1/24" ];
        privateKeyFile = "/run/keys/wg0";
      };
    };
    fails = "networking.wg-quick.interfaces.wg0: 10.233.9.1/24 lies in";
  };
  "a private network beside it, and a way to all private networks, are welcome" = {
    config = with' {
      networking.interfaces.eth0.ipv4 = {
        addresses = [
          {
            address = "10.232.7.4";
            prefixLength = 16;
          }
        ];
        routes = [
          {
            address = "10.0.0.0";
            prefixLength = 8;
            via = "10.232.0.1";
          }
        ];
      };
      networking.nameservers = [ "10.0.0.2" ];
    } { };
    expect = c: c.containers ? sandbox-live;
  };
  "what only the running host knows of its network is looked at before a sandbox starts" = {
    config = on { };
    expect =
      c:
      let
        asks =
          name:
          builtins.elem "choiros-addresses.service" c.systemd.services."container@${name}".requires
          && builtins.elem "choiros-addresses.service" c.systemd.services."container@${name}".after;
      in
      asks "sandbox-live"
      && asks "sandbox-dev"
      && builtins.elem "network-online.target" c.systemd.services.choiros-addresses.after;
  };

  # -- storage

  "data on a file system without mapped ids is refused" = {
    config = with' (root "9p") { };
    fails = "/var/lib/choiros lies on /, whose file system 9p can't be mounted with mapped ids";
  };
  "the mount that counts is the one that the data is on" = {
    config = with' {
      fileSystems."/".fsType = "nfs";
      fileSystems."/nix" = {
        device = "/dev/disk/by-label/nix";
        fsType = "xfs";
      };
      fileSystems."/var/lib/choiros" = {
        device = "/dev/disk/by-label/data";
        fsType = "ext4";
      };
    } { };
    expect = c: c.containers ? sandbox-live;
  };
  "a FUSE file system for the data is refused" = {
    config = with' {
      fileSystems."/var/lib/choiros/sandboxes" = {
        device = "x";
        fsType = "fuse.s3fs";
      };
    } { };
    fails = "lies on /var/lib/choiros/sandboxes, whose file system fuse.s3fs";
  };
  "a bind mount is what is bound" = {
    config = with' {
      fileSystems."/mnt/nas" = {
        device = "nas:/";
        fsType = "nfs4";
      };
      fileSystems."/var/lib/choiros" = {
        device = "/mnt/nas/choiros";
        fsType = "none";
        options = [ "bind" ];
      };
    } { };
    fails = "lies on /mnt/nas, whose file system nfs4";
  };
  "a store on 9p or in an overlay is refused, with what a virtual machine needs" = {
    config = with' {
      fileSystems."/nix/store" = {
        device = "overlay";
        fsType = "overlay";
      };
    } { };
    fails = "/nix/store lies on /nix/store, whose file system overlay can't be mounted with mapped ids, so no sandbox could start";
  };
  "a store on NFS is refused" = {
    config = with' {
      fileSystems."/nix" = {
        device = "nas:/nix";
        fsType = "nfs";
      };
    } { };
    fails = "/nix/store lies on /nix, whose file system nfs";
  };
  "`nixos-rebuild build-vm` has a store that can be mapped" = {
    config = on { };
    expect =
      c:
      let
        machine = c.virtualisation.vmVariant;
      in
      machine ? imports || builtins.all (a: a.assertion) machine.assertions;
  };
  "which kernels map ids on which file systems" = reckoned (
    lib:
    let
      mapping = import ../../modules/host/mapping.nix { inherit lib; };
      all =
        expected:
        map (pair: {
          name = toString pair;
          ok = mapping.tooOld (lib.head pair) (lib.last pair) == expected;
        });
    in
    all true [
      [
        "5.10.240"
        "ext4"
      ]
      [
        "5.14"
        "btrfs"
      ]
      [
        "5.15.190"
        "f2fs"
      ]
      [
        "6.1.2"
        "squashfs"
      ]
    ]
    ++ all false [
      [
        "5.15.190"
        "ext4"
      ]
      [
        "5.15"
        "btrfs"
      ]
      [
        "6.12.1"
        "erofs"
      ]
      [
        "6.18"
        "virtiofs"
      ]
      [
        "6.12"
        "auto"
      ]
    ]
  );
  "sandboxes need containers" = {
    config = with' { boot.enableContainers = false; } { };
    fails = "boot.enableContainers is off";
  };
  "sandboxes need user namespaces" = {
    config = with' { security.allowUserNamespaces = false; } { };
    fails = "security.allowUserNamespaces is off";
  };

  # -- what is there after a reboot

  "a root in memory loses the accounts, and is refused" = {
    config = with' (rootWith "tmpfs" { }) { };
    fails = "/var/lib/choiros /var/lib/caddy /var/lib/choiros/backups would be gone after a reboot";
  };
  "a root in memory with the state bound to a disk keeps it" = {
    config = with' (rootWith "tmpfs" persisted) { };
    expect = c: c.containers ? sandbox-live;
  };
  "so does one whose mounts are units" = {
    config = with' (
      rootWith "tmpfs" { inherit (persisted) "/persist"; }
      // {
        systemd.mounts =
          map
            (path: {
              where = path;
              what = "/persist${path}";
              type = "none";
              options = "bind";
              wantedBy = [ "local-fs.target" ];
            })
            [
              "/var/lib/choiros"
              "/var/lib/caddy"
            ];
      }
    ) { };
    expect = c: c.containers ? sandbox-live;
  };
  "certificates that each boot asks for anew are refused" = {
    config = with' (rootWith "tmpfs" (removeAttrs persisted [ "/var/lib/caddy" ])) { };
    fails = "services.choiros: /var/lib/caddy would be gone";
  };
  "a root that impermanence has wiped at each boot is refused" = {
    config = foreign {
      environment.persistence."/persist".directories = [ "/var/log" ];
    };
    fails = "it lies on a root that is wiped at boot";
  };
  "a root that preservation has wiped at each boot is refused" = {
    config = foreign { preservation.enable = true; };
    fails = "it lies on a root that is wiped at boot";
  };
  "a root that the initrd wipes is refused" = {
    config = with' {
      boot.initrd.postDeviceCommands = ''
        mount /dev/vda2 /mnt
        btrfs subvolume delete /mnt/root
        btrfs subvolume snapshot /mnt/blank /mnt/root
      '';
    } { };
    fails = "it lies on a root that is wiped at boot";
  };
  "a machine that is thrown away may say so" = {
    config = with' (rootWith "tmpfs" { }) { acceptEphemeralState = true; };
    expect = c: c.containers ? sandbox-live;
  };
  "backups in memory are refused" = {
    config = with' {
      fileSystems."/mnt/copies" = {
        device = "none";
        fsType = "tmpfs";
      };
    } { backup.directory = "/mnt/copies/choiros"; };
    fails = "/mnt/copies/choiros would be gone after a reboot";
  };

  # -- forwarding

  "a host that forwards already may say so, too" = {
    config = with' { boot.kernel.sysctl."net.ipv4.ip_forward" = true; } {
      workspaces.sandbox.egress = "internet";
    };
    expect = c: c.boot.kernel.sysctl."net.ipv4.ip_forward";
  };
  "a host that forwards nothing has no egress" = {
    config = with' { boot.kernel.sysctl."net.ipv4.ip_forward" = 0; } {
      workspaces.sandbox.egress = "internet";
    };
    fails = "so the `egress` of a workspace leads nowhere";
  };
  "without egress it is the host's own affair" = {
    config = with' { boot.kernel.sysctl."net.ipv4.ip_forward" = 0; } { };
    expect = c: c.boot.kernel.sysctl."net.ipv4.ip_forward" == 0;
  };
}
