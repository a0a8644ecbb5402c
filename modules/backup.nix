# Backups of every volume and of the hypervisor's store, by the clock, taken while they are in use, and checked; and the
# store's restore. A sandbox's restore is the hypervisor's to do, which holds who comes.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  inherit (cfg.backup) directory keep;
  choirosTypes = import ./lib/types.nix { inherit lib; };
  inherit (import ./lib/plan.nix { inherit lib; }) folders;
  mayKeep = import ./lib/backup-place.nix { inherit lib; };
  units = import ./lib/units.nix;
  hardening = import ./lib/hardening.nix;
  volumes = import ./lib/volumes.nix { inherit lib config pkgs; };

  timed =
    unit:
    unit
    // {
      startAt = cfg.backup.schedule;
      startLimitIntervalSec = 0;
    };

  ofSandbox =
    s:
    timed (volumes.unit (volumes.ofSandbox s) "${s.name}:backup" "")
    // {
      description = "Backup of ${s.name}'s data";
    };

  # which slots are in use is known at run time alone
  slots = pkgs.writeShellApplication {
    name = "choiros-backup-slots";
    runtimeInputs = [ config.systemd.package ];
    text = builtins.readFile ./programs/backup-slots.sh;
  };
  ofSlots = timed {
    description = "Backup of the slots' data";
    unitConfig.RequiresMountsFor = [ folders.slots ];
    serviceConfig =
      hardening
      // units.offline
      // {
        Type = "oneshot";
        ExecStart = "${lib.getExe slots} ${folders.slots}";
        # each of them has its own
        TimeoutStartSec = "infinity";
      };
  };

  store = folders.hypervisor;
  copies = "${directory}/hypervisor";
  # where it runs there is no /etc
  hypervisor = "${lib.getExe cfg.package} --config ${cfg.configFile}";
  # How programs run that read the store: as its owner, and where nothing but it, its copies and programs are in sight.
  ofStore = {
    unitConfig.RequiresMountsFor = [
      store
      directory
    ];
    serviceConfig =
      hardening
      // units.emptyRoot "choiros-view/%N"
      // {
        Type = "oneshot";
        User = "choiros";
        Group = "choiros";
        BindPaths = [
          "-${store}"
          copies
        ];
        NoExecPaths = "-+${store}";
      };
  };

  put = pkgs.writeShellApplication {
    name = "choiros-put";
    runtimeInputs = [ pkgs.coreutils ];
    runtimeEnv.PROGRAM = hypervisor;
    text = builtins.readFile ./programs/put.sh;
  };
  restore = pkgs.writeShellApplication {
    name = "choiros-restore";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.findutils
      pkgs.gawk
      pkgs.gnused
    ];
    runtimeEnv = {
      HYPERVISOR = lib.getExe config.system.build.hypervisor;
      COPIES = copies;
    };
    text = builtins.readFile ./programs/restore.sh;
  };

  # PostgreSQL has backups of its own
  services =
    lib.optionalAttrs (cfg.cluster.store.url == null) {
      hypervisor = timed (
        lib.recursiveUpdate ofStore {
          description = "Backup of the hypervisor's store";
          serviceConfig = {
            ExecStart = "${hypervisor} backup --into ${copies} --keep-last ${toString keep.last} --keep-daily ${toString keep.daily}";
            TimeoutStartSec = "1h";
            Nice = 10;
          };
        }
      );
    }
    // lib.optionalAttrs (cfg.slots > 0) { slots = ofSlots; }
    // lib.listToAttrs (map (s: lib.nameValuePair s.name (ofSandbox s)) cfg.sandboxes);
in
{
  options.services.choiros.backup = {
    enable = mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = "Whether the hypervisor's store and each sandbox's whole `/data` are backed up on schedule: from a snapshot, with every SQLite database in it checked.";
    };

    schedule = mkOption {
      type = types.str;
      default = "hourly";
      example = "*-*-* 03:00";
      description = "When, as a systemd calendar expression.";
    };

    keep = mkOption {
      type = types.submodule {
        options = {
          last = mkOption {
            type = types.ints.positive;
            default = 24;
            example = 48;
            description = "How many of the newest copies are kept.";
          };
          daily = mkOption {
            type = types.ints.unsigned;
            default = 14;
            example = 30;
            description = "For how many days, those of the newest copies included, the last one of the day is kept.";
          };
        };
      };
      default = { };
      example = {
        last = 48;
        daily = 30;
      };
      description = "Which copies are kept.";
    };

    directory = mkOption {
      type = choirosTypes.folder;
      default = "/var/lib/choiros/backups";
      example = "/mnt/backups/choiros";
      description = "Where the backups are, a folder for `hypervisor` and for each sandbox, in which `latest` leads to its newest. What didn't change is shared with the one before. A backup on the same disk is none: mount another here, or send it off the host.";
    };
  };

  config = lib.mkIf (cfg.enable && cfg.backup.enable) {
    assertions = [
      {
        assertion = mayKeep directory;
        message = "services.choiros.backup.directory: ${directory} is no place that outlives what it is a copy of, or none that the backup may write to. Give a folder of its own elsewhere, such as /mnt/backups/choiros.";
      }
    ];

    systemd.services = lib.mapAttrs' (name: lib.nameValuePair "choiros-backup-${name}") services // {
      # while it is under way, whoever starts the hypervisor waits: nobody is refused, and nothing is written between
      "choiros-restore-hypervisor@" = lib.recursiveUpdate (lib.recursiveUpdate ofStore units.order) {
        description = "Restore of the hypervisor's store";
        before = [ "choiros-hypervisor.service" ];
        serviceConfig = {
          # what stops the other is the host's
          RootDirectoryStartOnly = true;
          ExecStartPre = "+${lib.getExe' config.systemd.package "systemctl"} stop choiros-hypervisor.service";
          ExecStart = "${lib.getExe put} ${copies} %i";
          TimeoutStartSec = "30min";
        };
      };
    };
    systemd.timers = lib.mapAttrs' (
      name: _:
      lib.nameValuePair "choiros-backup-${name}" {
        timerConfig = {
          # one that was missed is made up for
          Persistent = true;
          RandomizedDelaySec = "5min";
        };
      }
    ) services;

    systemd.tmpfiles.settings.choiros = {
      ${directory}.d.mode = "0755";
      ${copies} = {
        d = {
          mode = "0700";
          user = "choiros";
          group = "choiros";
        };
        # and the copies of before the hypervisor had a user of its own
        Z = {
          user = "choiros";
          group = "choiros";
        };
      };
    }
    # whole trees with the owners that they have inside; who owns a database gets there to check it
    // lib.listToAttrs (
      map (s: lib.nameValuePair "${directory}/${s.name}" { d.mode = "0711"; }) cfg.sandboxes
    );

    environment.systemPackages = [ restore ];
    system.build.choiros-restore = restore;
  };
}
