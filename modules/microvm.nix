# What a host must have for sandboxes that are microVMs, and what their containers get of it. What is in these is
# ./inside/monitor.nix, and in the machine ./inside/guest.nix.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  sizes = import ./lib/size.nix { inherit lib; };
  choirosTypes = import ./lib/types.nix { inherit lib; };
  wall = import ./lib/wall.nix { inherit lib; };

  kinds =
    lib.mapAttrsToList (name: w: {
      option = "workspaces.${name}";
      settings = w;
    }) cfg.workspaces
    ++ lib.optional (cfg.slots > 0) {
      option = "slot";
      settings = cfg.slot;
    };
  microvms = lib.filter (kind: kind.settings.isolation == "microvm") kinds;
  first = (lib.head microvms).option;
  least = sizes.least cfg.microvm.emulate;
  small = lib.filter (kind: sizes.mebibytes kind.settings.memoryMax < least) microvms;
  inherit (cfg.machine) instanceType memory;
  # what sandboxes get of it, see ./limits.nix
  usable = sizes.mebibytes memory * 80 / 100;
  large = lib.filter (kind: sizes.mebibytes kind.settings.memoryMax > usable) microvms;

  virtual = "of the families c8i, m8i and r8i and their -flex variants, launched with the CPU option NestedVirtualization=enabled";
  hasKvm =
    lib.hasInfix ".metal" instanceType || builtins.match "[cmr]8i(d|-flex)?[.].*" instanceType != null;
  blacklisted = lib.intersectLists [
    "kvm"
    "kvm_amd"
    "kvm_intel"
  ] config.boot.blacklistedKernelModules;

  start = s: {
    # one for each file of /data that a guest remembers
    serviceConfig.LimitNOFILE = 1048576;
    # once its release is known, see ./containers.nix
    script = lib.mkOrder 610 ''
      about=$SYSTEM_PATH/etc/choiros/microvm
      if [ -e "$about" ]; then
        wanted=$(sed -n 's/^memory=//p' "$about")
        present=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo) / 1024))
        if [ "$wanted" -gt "$present" ]; then
          echo "$INSTANCE is a microVM with $wanted MiB of memory, and this machine has $present: lower its memoryMax" >&2
          exit 1
        fi
        EXTRA_NSPAWN_FLAGS="''${EXTRA_NSPAWN_FLAGS-} ${
          toString (lib.mapAttrsToList (name: value: "--setenv=${name}=${value}") (wall.guest s))
        }"
        if grep -qx kvm=yes "$about"; then
          if [ ! -c /dev/kvm ]; then
            echo "$INSTANCE is a microVM, and this machine has no /dev/kvm: switch virtualization on in its firmware or in the hypervisor that it runs on; on EC2 take a type ${virtual}, or a .metal one; or set its isolation to \"container\"" >&2
            exit 1
          fi
          # no group of the host's is known inside
          if [ $((0$(stat -c %a /dev/kvm) & 6)) -ne 6 ]; then
            echo "$INSTANCE is a microVM, and /dev/kvm is for some users of this host alone: give it the mode 0666, with services.udev.extraRules = \"KERNEL==\\\"kvm\\\", MODE=\\\"0666\\\"\"" >&2
            exit 1
          fi
          EXTRA_NSPAWN_FLAGS="$EXTRA_NSPAWN_FLAGS --bind=/dev/kvm"
        fi
      fi
    '';
  };
  # what a host without them says to a release that is one
  refuse.script = lib.mkOrder 610 ''
    if [ -e "$SYSTEM_PATH/etc/choiros/microvm" ]; then
      echo "$INSTANCE's release is a microVM, and this host has none: set services.choiros.microvm.enable = true, or give it a release that is a container" >&2
      exit 1
    fi
  '';
in
{
  options.services.choiros = {
    machine = {
      instanceType = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "m8i.large";
        description = "The machine's type where it is one of Amazon EC2's: what that type can't do is refused when the host is built, and not at the first start.";
      };
      memory = mkOption {
        type = types.nullOr choirosTypes.size;
        default = null;
        example = "16G";
        description = "The machine's memory, if it is known: microVMs that are larger than what sandboxes get of it are refused when the host is built.";
      };
    };

    microvm = {
      enable = mkOption {
        type = types.bool;
        default = microvms != [ ];
        defaultText = lib.literalMD "whether a workspace or the slots have `isolation = \"microvm\"`";
        example = true;
        description = "Whether containers may hold a virtual machine's monitor. What a sandbox runs is its release's matter: leave it on while a release that is a microVM may still start, as after a change of `isolation` back to `container`.";
      };
      hypervisor = mkOption {
        type = types.enum [
          "cloud-hypervisor"
          "qemu"
        ];
        default = if cfg.microvm.emulate then "qemu" else "cloud-hypervisor";
        defaultText = lib.literalMD "`\"cloud-hypervisor\"`, or `\"qemu\"` with `emulate`";
        example = "qemu";
        description = "The program that runs the virtual machines. Firecracker isn't among them, since it has no virtiofs, by which a microVM has the same volume that a container has.";
      };
      emulate = mkOption {
        type = types.bool;
        default = false;
        example = true;
        description = "Whether processors are emulated, so that no `/dev/kvm` is needed: ten times slower, and for tests alone, since QEMU's emulation is no boundary.";
      };
      source = mkOption {
        type = types.nullOr types.path;
        default = null;
        defaultText = lib.literalMD "the flake's input `microvm`";
        example = lib.literalExpression "inputs.microvm";
        description = "The source of microvm.nix, which guests are made with.";
      };
      system = mkOption {
        type = types.str;
        internal = true;
        default = pkgs.stdenv.hostPlatform.system;
        description = "The kind of machine that guests are made for, which is the host's.";
      };
      build = mkOption {
        type = types.functionTo types.package;
        internal = true;
        default =
          modules:
          (import "${pkgs.path}/nixos/lib/eval-config.nix" {
            system = null;
            modules = modules ++ [ (cfg.microvm.source + "/nixos-modules/microvm") ];
          }).config.microvm.declaredRunner;
        description = "What makes the program that runs a guest of its modules.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    # whichever kind they are: that is their release's matter
    systemd.services = lib.listToAttrs (
      map (
        s: lib.nameValuePair "container@${s.name}" (if cfg.microvm.enable then start s else refuse)
      ) cfg.containers
    );

    assertions = lib.optionals (cfg.microvm.enable && microvms != [ ]) [
      {
        assertion = cfg.microvm.source != null;
        message = "services.choiros.${first}.isolation is \"microvm\", but there is no microvm.nix to make it with. Set services.choiros.microvm.source to its source, or take the module from this project's flake.";
      }
      {
        assertion = cfg.microvm.system == "x86_64-linux";
        message = "services.choiros.${first}.isolation is \"microvm\", which is made for x86_64-linux alone until now. Set it to \"container\" on ${cfg.microvm.system}.";
      }
      {
        assertion = !cfg.microvm.emulate -> blacklisted == [ ];
        message = "boot.blacklistedKernelModules has ${toString blacklisted}, but services.choiros.${first}.isolation is \"microvm\", which needs /dev/kvm. Leave it out.";
      }
      {
        assertion = !cfg.microvm.emulate && instanceType != null -> hasKvm;
        message = "services.choiros.${first}.isolation is \"microvm\", but EC2's ${toString instanceType} has no /dev/kvm. Take a type ${virtual}, or a .metal one; or set it to \"container\".";
      }
      {
        assertion = cfg.microvm.emulate -> cfg.microvm.hypervisor == "qemu";
        message = "services.choiros.microvm.emulate: ${cfg.microvm.hypervisor} can't emulate a processor. Set services.choiros.microvm.hypervisor = \"qemu\".";
      }
      {
        assertion = small == [ ];
        message = "services.choiros.${(lib.head small).option}.memoryMax is ${(lib.head small).settings.memoryMax}, and a microVM has a kernel of its own and a program that runs it: it needs ${toString least}M.";
      }
      {
        assertion = memory != null -> large == [ ];
        message = "services.choiros.${(lib.head large).option}.memoryMax is ${(lib.head large).settings.memoryMax}, and sandboxes get four fifths of the ${toString memory} that services.choiros.machine.memory says. Lower it.";
      }
    ];

    boot.kernelModules = lib.mkIf cfg.microvm.enable [
      "bridge"
      "tun"
    ];
    # For whichever release it runs: what isn't a microVM has no such file in it, and can make none. NixOS adds
    # /dev/net/tun by itself.
    containers = lib.genAttrs (lib.optionals cfg.microvm.enable (map (s: s.name) cfg.containers)) (_: {
      allowedDevices = lib.optional (!cfg.microvm.emulate) {
        node = "/dev/kvm";
        modifier = "rw";
      };
    });
  };
}
