# Slots: pairs of sandboxes that a host has ready for the workspaces of people to come. All of them share one closure,
# one text of each unit, and one set of each kind in the firewall. What there is for each slot is written by one small
# program: links to the shared units with the few lines in which they differ, and the lists of addresses for the gateway
# and the firewall. So a host with a thousand slots is evaluated, built and switched to as fast as one with none.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  plan = import ./lib/plan.nix { inherit lib; };
  inherit (plan) ids folders;
  addresses = plan.addresses cfg.network;
  units = import ./lib/units.nix;
  quota = import ./lib/quota.nix { inherit lib pkgs; };
  options = import ./lib/sandbox-options.nix { inherit lib config; };

  indices = lib.filter (i: i != null) (map (w: w.index) (lib.attrValues cfg.workspaces));
  highest = lib.foldl' lib.max 1 indices;

  # the text of a unit that is there for slots alone, and runs below their names
  shared = name: unit: pkgs.writeText "${name}.service" config.systemd.units.${unit}.text;
  # what the program that writes the files is told
  files = {
    inherit (cfg) slots;
    inherit (addresses) first slotBlocks;
    firstId = ids.slots;
    inherit (cfg.slot) port;
    declared = map (s: { inherit (s) interface address hostAddress; }) cfg.sandboxes;
  }
  // lib.optionalAttrs (cfg.slots > 0) {
    container = shared "choiros-slot-container" "container@slots.service";
    volume = shared "choiros-slot-volume" "choiros-slot-volume@.service";
  };

  # who a slot's sandbox is, it learns from the name of its unit and the lines of its own
  identity = (import ./lib/identity.nix { inherit lib; }).flags {
    name = "$INSTANCE";
    role = "\${INSTANCE##*-}";
    id = "$SANDBOX_ID";
    inherit (cfg.slot) port;
  };

  backups = lib.optional cfg.backup.enable cfg.backup.directory;
  slot = pkgs.writeShellApplication {
    name = "choiros-slot";
    runtimeInputs = [ pkgs.coreutils ];
    runtimeEnv = {
      SLOTS = toString cfg.slots;
      FIRST_ID = toString ids.slots;
      FOLDER = folders.slots;
      RESULTS = folders.results;
      STREAMS = folders.streams;
      QUOTA = quota.command;
      LIMITS = quota.numbers cfg.slot;
    }
    // lib.optionalAttrs cfg.backup.enable { BACKUPS = cfg.backup.directory; };
    text = builtins.readFile ./programs/slot.sh;
  };
in
{
  options.services.choiros = {
    slots = mkOption {
      type = types.ints.between 0 ids.mostSlots;
      default = 32;
      example = 200;
      description = "How many workspaces the host has ready for people who are invited, beyond those that are declared. An unused one costs a few small files: neither a process nor a mount. Don't lower it below the number of one that is in use.";
    };

    slot = mkOption {
      type = types.submodule ({ config, ... }: { options = options.ofWorkspace folders.slots config; });
      default = { };
      example = {
        memoryMax = "1G";
        egress = "internet";
      };
      description = "What runs in the sandboxes of all slots, and what they may.";
    };

    archiveDays = mkOption {
      type = types.ints.unsigned;
      default = 30;
      example = 0;
      description = "How many days the data of a workspace in a slot are kept in `/var/lib/choiros/archives` after its last member was removed; `0` keeps them until somebody deletes them. Until then they can be restored as a workspace of somebody else's.";
    };

    slotFiles = mkOption {
      type = types.package;
      readOnly = true;
      internal = true;
      description = "What is written out for each slot: units, addresses, the firewall's sets.";
    };

    containers = mkOption {
      type = types.listOf types.raw;
      readOnly = true;
      internal = true;
      description = "The containers that are declared to NixOS: one for each declared sandbox, and one that those of all slots are made from.";
    };
  };

  config = lib.mkMerge [
    {
      services.choiros.containers = cfg.sandboxes ++ lib.optional (cfg.slots > 0) (plan.slots cfg);
    }

    (lib.mkIf cfg.enable {
      assertions = [
        {
          assertion = highest <= addresses.mostIndex;
          message = "services.choiros.network: ${cfg.network} has addresses for workspaces with an index of at most ${toString addresses.mostIndex}, and one has ${toString highest}. Give the workspace a lower index, or use a wider network, such as 10.233.0.0/16.";
        }
        {
          assertion = cfg.slots <= addresses.mostSlots;
          message = "services.choiros.slots: ${cfg.network} has addresses for ${toString addresses.mostSlots} slots, and not for ${toString cfg.slots}. Lower services.choiros.slots, or set services.choiros.network to a wider network, such as 10.233.0.0/16.";
        }
      ];

      services.choiros.slotFiles =
        pkgs.runCommand "choiros-slots"
          {
            nativeBuildInputs = [ pkgs.python3 ];
          }
          "python3 ${./programs/slot-files.py} ${pkgs.writeText "choiros-slots.json" (builtins.toJSON files)} $out";
    })

    (lib.mkIf (cfg.enable && cfg.slots > 0) {
      environment.etc = {
        # Beside /etc/systemd/system, where NixOS would link each file by a process of its own: the folder from which
        # systemd takes what is attached to a host as a whole.
        "systemd/system.attached".source = "${cfg.slotFiles}/units";
        "choiros/slots.conf".text = config.environment.etc."nixos-containers/slots.conf".text;
        "nixos-containers/slots.conf".enable = false;
      };

      # The containers of slots are instances of this one, which is never started itself: only its text is used, below
      # other names.
      systemd.services."container@slots" = {
        enable = false;
        # as NixOS has it for what it binds itself: not without the mount that denies set-uid programs and devices there
        unitConfig.RequiresMountsFor = [ folders.slots ];
        script = lib.mkBefore ''
          if [ ! -d "${folders.slots}/$SLOT/$INSTANCE" ]; then
            echo "$INSTANCE has no volume: systemctl start choiros-slot@$SLOT makes it" >&2
            exit 1
          fi
          EXTRA_NSPAWN_FLAGS="''${EXTRA_NSPAWN_FLAGS-} --bind=${folders.slots}/$SLOT/$INSTANCE:/data:idmap ${toString identity}"
        '';
        # NixOS' is for the container of that very name, and would let one that someone makes by hand change a slot's
        serviceConfig.EnvironmentFile = lib.mkForce "/etc/choiros/slots.conf";
      };

      # `choiros-slot@<number>`: what the hypervisor has made before a slot's sandbox is started for the first time
      systemd.tmpfiles.settings.choiros.${folders.slots}.d.mode = "0700";
      systemd.services."choiros-slot@" = lib.recursiveUpdate units.order {
        description = "Folders of slot %i";
        after = folders.madeBy;
        unitConfig.RequiresMountsFor = [ folders.slots ] ++ backups;
        serviceConfig =
          removeAttrs (import ./lib/hardening.nix) [
            # what is made in the folder of results has its group
            "RestrictSUIDSGID"
          ]
          // units.offline
          // quota.serviceConfig
          // {
            Type = "oneshot";
            ExecStart = "${lib.getExe slot} %i";
            ReadWritePaths = [
              folders.slots
              folders.results
              folders.streams
            ]
            ++ quota.serviceConfig.ReadWritePaths
            ++ backups;
            CapabilityBoundingSet = [
              "CAP_CHOWN"
              "CAP_FSETID"
            ]
            ++ quota.serviceConfig.CapabilityBoundingSet;
            SystemCallFilter = quota.serviceConfig.SystemCallFilter ++ [ "@chown" ];
            # the hypervisor waits for it, and whoever comes waits for the hypervisor
            TimeoutStartSec = 10;
          };
      };
    })
  ];
}
