# The host around us, as people have it.
{
  on,
  with',
  reckoned,
  ...
}:
let
  links = "ve-sandbox-live ve-sandbox-dev";
  slots = "ve-s[1-9]-live ve-s[1-9]-dev ve-s[1-9][0-9]-live ve-s[1-9][0-9]-dev ve-s[1-9][0-9][0-9]-live ve-s[1-9][0-9][0-9]-dev ve-s[1-9][0-9][0-9][0-9]-live ve-s[1-9][0-9][0-9][0-9]-dev";
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
in
{
  # -- links

  "systemd-networkd, NetworkManager and dhcpcd keep off the sandboxes' links, whatever else they match" =
    {
      config = with' {
        networking.useNetworkd = true;
        systemd.network.enable = true;
        systemd.network.networks = {
          "10-uplink" = {
            matchConfig.Type = "ether";
            networkConfig.DHCP = "yes";
          };
          # read before ours, and for a link that is none of ours
          "00-a".matchConfig.Name = "enp1s0";
          "00-b".matchConfig.MACAddress = "00:11:22:33:44:55";
        };
      } { };
      expect =
        c:
        let
          ours = c.systemd.network.networks."00-choiros";
        in
        ours.matchConfig.Name == "${links} ${slots}"
        && ours.linkConfig.Unmanaged
        && builtins.elem "interface-name:ve-sandbox-live" c.networking.networkmanager.unmanaged
        && builtins.elem "ve-sandbox-dev" c.networking.dhcpcd.denyInterfaces;
    };
  "a file of systemd-networkd that is read before ours, and takes any link, is refused" = {
    config = with' {
      systemd.network.enable = true;
      systemd.network.networks."00-all".matchConfig.Type = "ether";
    } { };
    fails = ''systemd.network.networks."00-all" is read before our "00-choiros"'';
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
    fails = "networking.interfaces.eth0.ipv4: 10.233.7.4 overlaps 10.233.0.0/16";
  };
  "the host's addresses in the sandboxes' network are found wherever they stand" = reckoned (
    lib:
    let
      taken =
        more:
        import ../../modules/lib/taken-networks.nix {
          inherit lib;
          network = "10.233.0.0/16";
          ours = [ "sandbox-live" ];
          config = lib.recursiveUpdate {
            networking = {
              interfaces = { };
              nameservers = [ ];
              defaultGateway = null;
            };
            systemd.network.networks = { };
            containers = { };
          } more;
        };
      all =
        expected:
        lib.mapAttrsToList (
          name: more: {
            inherit name;
            ok = (taken more != [ ]) == expected;
          }
        );
      networkd = more: { systemd.network.networks."10-lan" = more; };
      container = name: {
        containers.${name} = {
          hostAddress = "10.233.1.1";
          localAddress = "10.233.1.2";
        };
      };
    in
    all true {
      "a gateway" = {
        networking.defaultGateway.address = "10.233.0.1";
      };
      "a resolver" = {
        networking.nameservers = [ "10.233.0.2" ];
      };
      "networkd's address" = networkd { address = [ "10.233.7.4/14" ]; };
      "networkd's addresses" = networkd { addresses = [ { Address = "10.233.7.4/24"; } ]; };
      "networkd's route" = networkd { routes = [ { Destination = "10.233.200.0/24"; } ]; };
      "networkd's section" = networkd { networkConfig.Address = "10.233.0.9/16"; };
      "WireGuard" = {
        networking.wireguard.interfaces.wg0.ips = [ "10.233.9.1/24" ];
      };
      "WireGuard's peers" = {
        networking.wg-quick.interfaces.wg0.peers = [ { allowedIPs = [ "10.233.0.0/17" ]; } ];
      };
      "another container" = container "other";
      "Docker" = {
        virtualisation.docker.daemon.settings.default-address-pools = [ { base = "10.233.0.0/16"; } ];
      };
    }
    ++ all false {
      "nothing" = { };
      "our own" = container "sandbox-live";
      "networks beside it" = networkd {
        address = [
          "10.232.7.4/16"
          "fd00::1/64"
        ];
        dns = [ "9.9.9.9#dns.quad9.net" ];
      };
      "a way to all private networks" = networkd { routes = [ { Destination = "10.0.0.0/8"; } ]; };
      "a peer's whole world" = {
        networking.wg-quick.interfaces.wg0.peers = [ { allowedIPs = [ "0.0.0.0/0" ]; } ];
      };
    }
  );
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
  "a store on 9p or in an overlay is refused, with what a virtual machine needs" = {
    config = with' {
      fileSystems."/nix/store" = {
        device = "overlay";
        fsType = "overlay";
      };
    } { };
    fails = "/nix/store lies on /nix/store, whose file system overlay can't be mounted with mapped ids, so no sandbox could start";
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
      mapping = import ../../modules/lib/id-mapping.nix { inherit lib; };
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
  "the file system of a path is that of the nearest mount, through what is bound" = reckoned (
    lib:
    let
      mounts = import ../../modules/lib/mounts.nix {
        inherit lib;
        config = {
          fileSystems =
            lib.mapAttrs (mountPoint: fs: { options = [ "defaults" ]; } // fs // { inherit mountPoint; })
              {
                "/" = disk "ext4";
                "/mnt/nas" = disk "nfs4";
                "/var/lib/choiros/sandboxes" = disk "fuse.s3fs";
                "/srv" = bind "/mnt/nas/srv";
                "/srv/deep" = bind "/srv/other";
                "/ring" = bind "/ring/ring";
                "/home" = disk "xfs";
                "/off" = disk "9p" // {
                  enable = false;
                };
              };
          systemd.mounts = [
            {
              where = "/var/lib/caddy";
              what = "/home/caddy";
              type = "none";
              options = "bind,noatime";
            }
          ];
        };
      };
      disk = fsType: {
        device = "x";
        inherit fsType;
      };
      bind = device: {
        inherit device;
        fsType = "none";
        options = [ "bind" ];
      };
    in
    lib.mapAttrsToList
      (path: expected: {
        name = "${path}: ${(mounts.of path).fsType}";
        ok = (mounts.of path).fsType == expected;
      })
      {
        "/nix/store" = "ext4";
        "/var/lib/choiros" = "ext4";
        "/var/lib/choiros/sandboxes/a" = "fuse.s3fs";
        "/var/lib/choiros/sandboxes2" = "ext4";
        "/srv/copies" = "nfs4";
        "/srv/deep/er" = "nfs4";
        "/var/lib/caddy" = "xfs";
        "/off/x" = "ext4";
        "/ring/x" = "none";
      }
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
  "what is gone after a reboot, and what is kept" = reckoned (
    lib:
    let
      lost =
        more:
        (import ../../modules/lib/mounts.nix {
          inherit lib;
          config =
            lib.recursiveUpdate
              {
                boot.initrd = { };
                environment = { };
                systemd.mounts = [ ];
              }
              (
                more
                // {
                  fileSystems = lib.mapAttrs (
                    mountPoint: fs:
                    {
                      device = "x";
                      options = [ "defaults" ];
                      inherit mountPoint;
                    }
                    // fs
                  ) ({ "/".fsType = "btrfs"; } // (more.fileSystems or { }));
                }
              );
        }).lost
          [ "/var/lib/choiros" ] != [ ];
      all =
        expected:
        lib.mapAttrsToList (
          name: more: {
            inherit name;
            ok = lost more == expected;
          }
        );
      inMemory = {
        "/".fsType = "tmpfs";
      };
      kept = {
        "/persist".fsType = "btrfs";
        "/var/lib/choiros" = bound // {
          device = "/persist/var/lib/choiros";
        };
      };
      impermanence = {
        environment.persistence."/persist" = { };
      };
      initrd = name: script: { boot.initrd.${name} = script; };
    in
    all true {
      "a root in memory" = {
        fileSystems = inMemory;
      };
      "a mount in memory" = {
        fileSystems."/var".fsType = "ramfs";
      };
      "what is bound from memory" = {
        fileSystems = kept // {
          "/persist".fsType = "tmpfs";
        };
      };
      "a root that impermanence wipes" = impermanence;
      "a root that preservation wipes" = {
        preservation.enable = true;
      };
      "a root that a script wipes" = initrd "postResumeCommands" "x\nbtrfs subvolume delete /r\n";
      "a root that a unit wipes" = initrd "systemd" {
        services.rollback.script = "zfs rollback -r rpool/root@blank";
      };
    }
    ++ all false {
      "a disk" = { };
      "a disk beside a root in memory" = {
        fileSystems = inMemory // kept;
      };
      "what impermanence keeps" = impermanence // {
        fileSystems = kept;
      };
      "what a unit binds" = impermanence // {
        fileSystems = { inherit (kept) "/persist"; };
        systemd.mounts = [
          {
            where = "/var/lib/choiros";
            what = "/persist/var/lib/choiros";
            options = "bind";
          }
        ];
      };
      "a volume of its own" = impermanence // {
        fileSystems."/var".fsType = "btrfs";
      };
      "a harmless script" = initrd "postDeviceCommands" "udevadm settle";
    }
  );
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
}
