{ on, says, ... }:
let
  host = settings: on ({ slots = 0; } // settings);
  micro =
    settings:
    host (
      {
        workspaces.sandbox.isolation = "microvm";
      }
      // settings
    );
  inside = c: c.containers.sandbox-live.config;
  unit = c: c.systemd.services."container@sandbox-live";
  hasKvm =
    c: builtins.any (device: device.node == "/dev/kvm") c.containers.sandbox-live.allowedDevices;
in
{
  "a microVM is a container that holds its monitor" = {
    config = micro { };
    expect =
      c:
      let
        services = (inside c).systemd.services;
        vmm = services.vmm.serviceConfig;
        share = services.virtiofsd.serviceConfig;
      in
      [
        {
          name = "the service of the workspace is the guest's";
          ok = !(services ? sandbox) && !(services ? data-owner);
        }
        {
          name = "it has the wire, the volume and the users of any container";
          ok =
            c.containers.sandbox-live.privateUsers == "pick"
            && c.containers.sandbox-live.localAddress == "10.233.1.2"
            && (c.containers.sandbox-live.bindMounts ? "/data:idmap");
        }
        {
          name = "the monitor is no root, has no capability and speaks with no network";
          ok =
            vmm.User == "vmm"
            && vmm.CapabilityBoundingSet == ""
            && vmm.NoNewPrivileges
            && vmm.MemoryDenyWriteExecute
            && vmm.RestrictAddressFamilies == [ "AF_UNIX" ];
        }
        {
          name = "it has two devices";
          ok =
            vmm.DevicePolicy == "closed"
            &&
              vmm.DeviceAllow == [
                "/dev/kvm rw"
                "/dev/net/tun rw"
              ];
        }
        {
          name = "who has the volume has no network, and can't become more than the container's root";
          ok =
            share.PrivateNetwork
            && share.NoNewPrivileges
            && !(builtins.elem "CAP_SYS_ADMIN" share.CapabilityBoundingSet)
            && !(builtins.elem "CAP_MKNOD" share.CapabilityBoundingSet);
        }
        {
          name = "it may lay down what it has no use for, without which it doesn't start";
          ok =
            builtins.elem "CAP_SETPCAP" share.CapabilityBoundingSet
            && builtins.any (calls: says calls "capset") share.SystemCallFilter;
        }
        {
          name = "the guest has its volume until it has ended";
          ok = builtins.elem "virtiofsd.service" services.vmm.after;
        }
        {
          name = "the container ends with its guest, and fails with it";
          ok =
            services.vmm.unitConfig.SuccessAction == "exit"
            && services.vmm.unitConfig.FailureAction == "exit-force"
            && services.virtiofsd.unitConfig.FailureAction == "exit-force";
        }
        {
          name = "its limit is any container's, and the monitor's part of it isn't the guest's";
          ok =
            (unit c).serviceConfig.MemoryMax == "2G"
            && says (inside c).environment.etc."choiros/microvm".text "memory=1632";
        }
      ];
  };
  "the host gives /dev/kvm to a release that is a microVM, and to no other" = {
    config = micro { };
    expect =
      c:
      hasKvm c
      && says (unit c).script "etc/choiros/microvm"
      && says (unit c).script "no /dev/kvm"
      && says (unit c).script "is for some users of this host alone"
      && says (unit c).script "lower its memoryMax"
      && !(builtins.any (says "--bind=/dev/kvm") c.containers.sandbox-live.extraFlags);
  };
  "a host of containers has nothing of it, and says so to a release that is one" = {
    config = host { };
    expect =
      c:
      !(hasKvm c)
      && !(says (unit c).script "kvm")
      && says (unit c).script "services.choiros.microvm.enable = true"
      && ((inside c).systemd.services ? sandbox);
  };
  "on the way back to containers, microVMs still start" = {
    config = host { microvm.enable = true; };
    expect = c: hasKvm c && ((inside c).systemd.services ? sandbox);
  };
  "slots can be microVMs beside workspaces that are none" = {
    config = host {
      slots = 2;
      slot.isolation = "microvm";
    };
    expect =
      c: (c.containers.slots.config.systemd.services ? vmm) && ((inside c).systemd.services ? sandbox);
  };
  "what a guest sends meets a second wall as well" = {
    config = micro { };
    expect =
      c:
      [
        "LOCAL_ADDRESS"
        "HOST_ADDRESS"
        "GUEST_ALLOWED"
        "GUEST_DENIED"
      ] == (inside c).systemd.services.guest-link.serviceConfig.PassEnvironment
      && says (inside c).systemd.services.guest-link.script "device tap0"
      && says (unit c).script "GUEST_ALLOWED=10.233.1.1,10.233.1.2 --setenv=GUEST_DENIED=0.0.0.0/0";
  };
  "which lets through what egress names" = {
    config = micro {
      workspaces.sandbox = {
        isolation = "microvm";
        egress = [ "198.51.100.0/24" ];
      };
    };
    expect = c: says (unit c).script "10.233.1.2,198.51.100.0/24 --setenv=GUEST_DENIED=0.0.0.0/0";
  };
  "and of the internet what is public" = {
    config = micro {
      workspaces.sandbox = {
        isolation = "microvm";
        egress = "internet";
      };
    };
    expect = c: says (unit c).script "GUEST_DENIED=0.0.0.0/8,10.0.0.0/8,";
  };
  "the rules that keep sandboxes apart know no kinds" = {
    config = micro { };
    expect =
      c:
      builtins.elem "choiros-firewall.service" (unit c).bindsTo
      && builtins.any (s: s.interface == "ve-sandbox-live") c.services.choiros.sandboxes;
  };
  "emulated, it needs no /dev/kvm" = {
    config = micro { microvm.emulate = true; };
    expect = c: !(hasKvm c) && !(inside c).systemd.services.vmm.serviceConfig.MemoryDenyWriteExecute;
  };
  "only QEMU emulates" = {
    config = micro {
      microvm = {
        emulate = true;
        hypervisor = "cloud-hypervisor";
      };
    };
    fails = "services.choiros.microvm.hypervisor = \"qemu\"";
  };
  "an EC2 type without virtualization is refused, with those that have it" = {
    config = micro { machine.instanceType = "t3.large"; };
    fails = "c8i, m8i and r8i";
  };
  "EC2 types with virtualization are taken" = {
    config = micro { machine.instanceType = "m8i-flex.xlarge"; };
    expect = _: true;
  };
  "and those without a hypervisor below them" = {
    config = micro { machine.instanceType = "m7i.metal-24xl"; };
    expect = _: true;
  };
  "a microVM that is larger than the machine is refused" = {
    config = micro { machine.memory = "2G"; };
    fails = "four fifths of the 2G";
  };
  "a microVM without room for a kernel is refused" = {
    config = micro {
      workspaces.sandbox = {
        isolation = "microvm";
        memoryMax = "128M";
      };
    };
    fails = "it needs 464M";
  };
  "a host that forbids KVM can't have microVMs" = {
    config = {
      imports = [ (micro { }) ];
      boot.blacklistedKernelModules = [ "kvm_intel" ];
    };
    fails = "boot.blacklistedKernelModules has kvm_intel";
  };
  "a machine of another kind is refused" = {
    config = micro { microvm.system = "aarch64-linux"; };
    fails = "Set it to \"container\" on aarch64-linux";
  };
  "without microvm.nix there are none" = {
    config =
      { lib, ... }:
      {
        imports = [ (micro { }) ];
        services.choiros.microvm.source = lib.mkForce null;
      };
    fails = "Set services.choiros.microvm.source";
  };
}
