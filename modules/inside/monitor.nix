# What is in the container of a microVM: the guest's wire, its volume, and the monitor that runs it, each with as little as
# it needs. The container is the unit, the limits, the address and the way to /data that any sandbox has.
host: sandbox: runner:
{ lib, pkgs, ... }:
let
  cfg = host.config.services.choiros.microvm;
  hardening = import ../lib/hardening.nix;
  identity = import ../lib/identity.nix { inherit lib; };
  sizes = import ../lib/size.nix { inherit lib; };
  memory = sandbox.settings.memoryMax;
  isQemu = cfg.hypervisor == "qemu";

  # a file of whole sectors, as a disk is
  identityDisk = pkgs.writeShellApplication {
    name = "identity-disk";
    runtimeInputs = [ pkgs.coreutils ];
    text = ''
      {
        for name in SANDBOX_ID ${toString identity.names}; do echo "$name=''${!name-}"; done
        echo "SANDBOX_ADDRESS=$LOCAL_ADDRESS"
        echo "SANDBOX_GATEWAY=$HOST_ADDRESS"
      } > identity.img
      truncate -s %512 identity.img
    '';
  };
  # The guest is ready when it says so, and has ended well if it said that it would.
  listen = pkgs.writeShellApplication {
    name = "listen-to-guest";
    runtimeInputs = [
      pkgs.socat
      host.config.systemd.package
    ];
    text = ''
      socat -u UNIX-CONNECT:notify.sock,retry=6000,interval=0.1 STDOUT | while IFS= read -r line; do
        case $line in
          READY=1)
            rm -f stopping
            systemd-notify --ready
            ;;
          STOPPING=1) : > stopping ;;
        esac
      done
    '';
  };
  start = pkgs.writeShellApplication {
    name = "start-guest";
    text = ''
      ${lib.optionalString isQemu "${lib.getExe listen} &"}
      exec ${runner}/bin/microvm-run
    '';
  };
  stop = pkgs.writeShellApplication {
    name = "stop-guest";
    text = ''
      # it is there no more if it has ended by itself
      [ -z "''${MAINPID-}" ] || exec ${runner}/bin/microvm-shutdown
    '';
  };
  # An end that was ordered is a good one, whatever the guest takes the order for: QEMU's keyboard asks for a restart.
  ended = pkgs.writeShellApplication {
    name = "guest-ended";
    runtimeInputs = [ host.config.systemd.package ];
    text = ''
      [ "$SERVICE_RESULT" != success ] || [ -e stopping ] || [ "$(systemctl is-system-running)" = stopping ] || {
        echo "the guest ended without a word: it crashed, or restarted itself" >&2
        exit 1
      }
    '';
  };
  # The connection to it ends with the guest's kernel. If the monitor is still there, it has begun the next one, as after
  # a panic: that is for the container's unit to do.
  shareEnded = pkgs.writeShellApplication {
    name = "share-ended";
    runtimeInputs = [
      pkgs.coreutils
      host.config.systemd.package
    ];
    text = ''
      sleep 1
      ! systemctl is-active --quiet vmm.service
    '';
  };
in
{
  # for the start of the container, which gives it what it needs of the host
  environment.etc."choiros/microvm".text = ''
    kvm=${if cfg.emulate then "no" else "yes"}
    memory=${toString (sizes.guest cfg.emulate memory)}
  '';

  # what the guest's console says is what the host's journal is for
  systemd.settings.Manager.ShowStatus = false;

  users.users.vmm = {
    isSystemUser = true;
    group = "vmm";
  };
  users.groups.vmm = { };

  systemd.sockets.virtiofsd = {
    description = "Where the monitor finds the volume";
    wantedBy = [ "sockets.target" ];
    socketConfig = {
      ListenStream = "/run/volume/volume.sock";
      SocketGroup = "vmm";
      SocketMode = "0660";
      RemoveOnStop = true;
    };
  };
  systemd.services = {
    # The container's own address is the guest's from here on, and what it sends with it is looked at here.
    guest-link = {
      description = "The guest's end of the sandbox's wire";
      wantedBy = [ "multi-user.target" ];
      before = [ "network.target" ];
      path = [
        pkgs.coreutils
        pkgs.iproute2
        pkgs.nftables
      ];
      # nor does the guest run without its rules
      unitConfig = {
        FailureAction = "exit-force";
        FailureActionExitStatus = 1;
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        PassEnvironment = [
          "LOCAL_ADDRESS"
          "HOST_ADDRESS"
          "GUEST_ALLOWED"
          "GUEST_DENIED"
        ];
      };
      script = ''
        ip address flush dev eth0
        ip link set eth0 down
        ip link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
        # shellcheck disable=SC2046
        ip tuntap add tap0 mode tap user vmm $(cat ${runner}/share/microvm/tap-flags)
        nft -f - <<EOF
        table netdev guest {
          chain sent {
            type filter hook ingress device tap0 priority 0; policy drop;
            arp saddr ip ''${LOCAL_ADDRESS%/*} accept
            ip saddr != ''${LOCAL_ADDRESS%/*} drop
            ip daddr { $HOST_ADDRESS''${GUEST_ALLOWED:+,$GUEST_ALLOWED} } accept
            ip daddr { $GUEST_DENIED } drop
            ether type ip accept
          }
        }
        EOF
        for link in eth0 tap0; do ip link set "$link" master br0; done
        for link in eth0 tap0 br0; do ip link set "$link" addrgenmode none up; done
      '';
    };

    # It writes as whoever the guest says, among the ids of the container.
    virtiofsd = {
      description = "The volume, for the guest";
      requires = [ "virtiofsd.socket" ];
      unitConfig = {
        FailureAction = "exit-force";
        FailureActionExitStatus = 1;
      };
      serviceConfig = removeAttrs hardening [ "RestrictSUIDSGID" ] // {
        ExecStart = "${lib.getExe pkgs.virtiofsd} --fd=3 --shared-dir=/data --sandbox=none --seccomp=kill --cache=auto --xattr --inode-file-handles=never --modcaps=-mknod:-setfcap --rlimit-nofile=0";
        ExecStopPost = lib.getExe shareEnded;
        CapabilityBoundingSet = [
          "CAP_CHOWN"
          "CAP_DAC_OVERRIDE"
          "CAP_FOWNER"
          "CAP_FSETID"
          "CAP_SETPCAP"
          "CAP_SETGID"
          "CAP_SETUID"
        ];
        PrivateUsers = false;
        PrivateNetwork = true;
        # it asks how many files it may have open
        ProcSubset = "all";
        ReadWritePaths = [ "/data" ];
        # one for each that the guest remembers
        LimitNOFILE = sizes.files memory;
        SystemCallFilter = hardening.SystemCallFilter ++ [
          # with capset it lays down what it doesn't need
          "@chown @setuid capset"
        ];
      };
    };

    vmm = {
      description = "The guest of ${sandbox.workspace}";
      wantedBy = [ "multi-user.target" ];
      requires = [
        "guest-link.service"
        "virtiofsd.socket"
      ];
      # the guest writes until it has ended, so the volume goes after it
      wants = [ "virtiofsd.service" ];
      after = [
        "guest-link.service"
        "virtiofsd.service"
        "virtiofsd.socket"
      ];
      # the container ends with its guest, and as well as it did
      unitConfig = {
        SuccessAction = "exit";
        FailureAction = "exit-force";
        FailureActionExitStatus = 1;
      };
      serviceConfig = hardening // {
        Type = "notify";
        NotifyAccess = "all";
        User = "vmm";
        Group = "vmm";
        RuntimeDirectory = "vmm";
        WorkingDirectory = "/run/vmm";
        PassEnvironment = identity.names ++ [
          "SANDBOX_ID"
          "LOCAL_ADDRESS"
          "HOST_ADDRESS"
        ];
        ExecStartPre = lib.getExe identityDisk;
        ExecStart = lib.getExe start;
        ExecStop = lib.getExe stop;
        # the manager tells root without the bus, which may have stopped
        ExecStopPost = lib.mkIf isQemu "+${lib.getExe ended}";
        # the container's own limit counts
        TimeoutStartSec = "infinity";
        TimeoutStopSec = 60;
        # /dev/kvm and /dev/net/tun, which is what the container has
        PrivateDevices = false;
        DeviceAllow = [
          "/dev/kvm rw"
          "/dev/net/tun rw"
        ];
        # the kernel tells there, and nowhere else, what kind of link tap0 is
        ProcSubset = "all";
        # an emulated processor is a program that is written while it runs
        MemoryDenyWriteExecute = !cfg.emulate;
        StandardOutput = "journal+console";
        StandardError = "inherit";
        IPAddressDeny = "any";
      };
    };
  };
}
