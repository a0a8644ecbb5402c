{ lib, config, ... }:
let
  cfg = config.services.choiros;
in
{
  config = lib.mkIf (cfg.enable && cfg.backup.enable) {
    assertions = [
      {
        assertion =
          lib.hasPrefix "/" cfg.backup.directory
          && !lib.any (taken: lib.hasPrefix taken "${cfg.backup.directory}/") [
            "/nix/"
            "/run/"
            "/tmp/"
            "/var/lib/choiros/hypervisor/"
            "/var/lib/choiros/sandboxes/"
          ];
        message = "services.choiros.backup.directory: ${cfg.backup.directory} is no place that outlives what it is a copy of. Give an absolute path elsewhere, such as /mnt/backups/choiros.";
      }
    ];
  };
}
