{ lib, ... }:
let
  inherit (lib) mkOption types;
  choirosTypes = import ../types.nix { inherit lib; };
in
{
  options.services.choiros.backup = {
    enable = mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = "Whether the databases of the hypervisor and of each sandbox (`/data/*.db`, SQLite) are copied on schedule.";
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
            description = "For how many days before that the last copy of the day is kept.";
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
      description = "Where the copies are, a folder for `hypervisor` and for each sandbox. A copy on the same disk is none: mount another here, or send it off the host.";
    };
  };
}
