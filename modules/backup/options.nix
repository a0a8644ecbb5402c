{ lib, ... }:
let
  inherit (lib) mkOption types;
  choirosTypes = import ../lib/types.nix { inherit lib; };
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
}
