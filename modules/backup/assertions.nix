{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (cfg.backup) directory;
  mayKeep = import ./place.nix { inherit lib; };
in
{
  config = lib.mkIf (cfg.enable && cfg.backup.enable) {
    assertions = [
      {
        assertion = mayKeep directory;
        message = "services.choiros.backup.directory: ${directory} is no place that outlives what it is a copy of, or none that the backup may write to. Give a folder of its own elsewhere, such as /mnt/backups/choiros.";
      }
    ];
  };
}
