# A sandbox's inside as the guest of a microVM: its devices, and how it learns what a container is told by its environment.
host: sandbox:
{
  lib,
  pkgs,
  ...
}:
let
  cfg = host.config.services.choiros.microvm;
  limits = sandbox.settings;
  hardening = import ../lib/hardening.nix;
  isQemu = cfg.hypervisor == "qemu";
  sizes = import ../lib/size.nix { inherit lib; };
  memory = sizes.guest cfg.emulate limits.memoryMax;
  notifyPort = "org.choiros.notify";
  # Runs before the first unit does, and before there are names for devices.
  identity = pkgs.writeShellScript "identity" ''
    for disk in /sys/block/vd*; do
      if [ "$(< "$disk/serial")" = identity ]; then
        while IFS= read -r line; do
          [[ ! $line =~ ^[A-Z_]+=[A-Za-z0-9_./:-]*$ ]] || echo "$line"
        done < "/dev/''${disk##*/}"
      fi
    done
  '';
in
{
  # Everything in it that has a name outside has the same in each sandbox: each runs in a container of its own.
  microvm = {
    inherit (cfg) hypervisor;
    # it brings an overlay, which would have all packages evaluated anew; what it trims, ./base.nix does for every inside
    optimize.enable = false;
    # whoever is no virtual machine's host has no use for what KVM needs to emulate one's processor
    cloud-hypervisor.extraArgs = [
      "--cpus"
      "nested=off"
    ];
    cpu = lib.mkIf isQemu (if cfg.emulate then "max" else "host,+x2apic,-sgx,-vmx,-svm");
    vcpu = if limits.cpuQuota == null then 2 else (limits.cpuQuota + 99) / 100;
    # QEMU hangs with 2048
    mem = if isQemu && memory == 2048 then 2047 else memory;
    # what the guest has no use for goes back to the host
    balloon = true;
    deflateOnOOM = true;
    socket = "vmm.sock";
    # in the monitor itself; of QEMU's the guest would reach whatever listens on the host's
    vsock.cid = lib.mkIf (!isQemu) 3;
    interfaces = [
      {
        type = "tap";
        id = "tap0";
        mac = "02:00:00:00:00:01";
      }
    ];
    volumes = [
      {
        image = "identity.img";
        serial = "identity";
        mountPoint = null;
        readOnly = true;
        autoCreate = false;
        size = 1;
      }
    ];
    shares = [
      {
        proto = "virtiofs";
        tag = "data";
        source = "/data";
        mountPoint = "/data";
        socket = "/run/volume/volume.sock";
      }
    ];
    qemu = {
      package = pkgs.qemu_kvm;
      # A guest whose processor is emulated learns from this one's timers how fast that is, however busy the host.
      machine = lib.mkIf cfg.emulate "q35";
      machineOpts = lib.mkIf cfg.emulate {
        accel = "tcg";
        acpi = "on";
        # a guest is stopped by the keyboard that microvm.nix adds, and knows of one alone
        i8042 = "off";
        mem-merge = "on";
      };
      extraArgs = [
        "-device"
        "virtio-serial-pci"
        "-chardev"
        "socket,id=notify,path=notify.sock,server=on,wait=off"
        "-device"
        "virtserialport,chardev=notify,name=${notifyPort}"
      ];
    };
  };
  fileSystems."/data".options = [
    "nosuid"
    "nodev"
  ];

  environment.etc."systemd/system-environment-generators/10-identity".source = identity;
  networking = {
    # until it is told
    hostName = lib.mkOverride 800 "sandbox";
    usePredictableInterfaceNames = false;
    useDHCP = false;
  };
  boot = {
    initrd.systemd.enable = true;
    swraid.enable = lib.mkDefault false;
    kernelParams = [ "8250.nr_uarts=1" ];
    kernel.sysctl."kernel.threads-max" = lib.mkDefault limits.tasksMax;
    # its clock is the host's, which it asks without a network
    kernelModules = lib.mkIf (!cfg.emulate) [ "ptp_kvm" ];
  };
  services.timesyncd.enable = lib.mkDefault false;
  services.chrony = lib.mkIf (!cfg.emulate) {
    enable = lib.mkDefault true;
    servers = lib.mkDefault [ ];
    extraConfig = ''
      refclock PHC /dev/ptp_kvm poll 2 dpoll -2 offset 0 stratum 3
      makestep 1 -1
    '';
  };

  systemd.services = {
    guest-network = {
      description = "Name and address of this guest";
      wantedBy = [ "sysinit.target" ];
      wants = [ "network-pre.target" ];
      before = [
        "network-pre.target"
        "sysinit.target"
      ];
      path = [
        pkgs.unixtools.hostname
        pkgs.iproute2
      ];
      unitConfig.DefaultDependencies = false;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        PassEnvironment = "SANDBOX_NAME SANDBOX_ADDRESS SANDBOX_GATEWAY";
      };
      script = ''
        hostname "$SANDBOX_NAME"
        until ip link show eth0 > /dev/null 2>&1; do sleep 0.1; done
        ip link set eth0 up
        ip address add "$SANDBOX_ADDRESS" dev eth0
        ip route add "$SANDBOX_GATEWAY" dev eth0
        ip route add default via "$SANDBOX_GATEWAY"
      '';
    };
    # The host has each file open that the guest remembers, which the guest does while it has memory to spare. Nothing
    # tells it to forget some before the host has none left, so it does by itself.
    forget-files = {
      description = "Lets go of files in /data that the host has open for this guest";
      wantedBy = [ "multi-user.target" ];
      serviceConfig = removeAttrs hardening [ "ProtectKernelTunables" ] // {
        # the kernel's list of what it remembers is there
        ProcSubset = "all";
        PrivateUsers = false;
        IPAddressDeny = "any";
        Restart = "always";
      };
      script = ''
        exec {never}<> <(:)
        while ! read -r -t 0.5 -u "$never"; do
          # at once: line by line the kernel would count everything anew for each
          read -r -d "" remembered < /proc/slabinfo || true
          if [[ $remembered =~ $'\n'fuse_inode\ +([0-9]+) ]] && [ "''${BASH_REMATCH[1]}" -gt ${
            toString (sizes.files limits.memoryMax / 4)
          } ]; then
            echo 2 > /proc/sys/vm/drop_caches
          fi
        done
      '';
    };
    # nobody logs in there: what is written to it is in the host's journal
    "serial-getty@ttyS0".enable = false;
    "serial-getty@hvc0".enable = false;
    # by vsock systemd says it itself
    guest-ready = lib.mkIf isQemu {
      description = "Word to the host that the guest is up, and that it goes";
      wantedBy = [ "multi-user.target" ];
      after = [ "multi-user.target" ];
      before = [ "shutdown.target" ];
      conflicts = [ "shutdown.target" ];
      unitConfig.DefaultDependencies = false;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = ''/bin/sh -c "echo READY=1 > /dev/virtio-ports/${notifyPort}"'';
        # not before a restart: that is for the container's unit to do
        ExecStop = pkgs.writeShellScript "stopping" ''
          [ -n "$(systemctl list-jobs --no-legend reboot.target)" ] || echo STOPPING=1 > /dev/virtio-ports/${notifyPort}
        '';
      };
    };
  };
}
