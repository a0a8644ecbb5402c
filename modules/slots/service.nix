# `choiros-slot@<number>`: what the hypervisor has made before a slot's sandbox is started for the first time.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (import ../lib/plan.nix { inherit lib; }) ids;
  quota = import ../lib/quota.nix { inherit lib pkgs; };
  inherit (import ../lib/plan.nix { inherit lib; }) folders;
  inherit (folders) results;
  folder = folders.slots;
  slot = pkgs.writeShellApplication {
    name = "choiros-slot";
    runtimeInputs = [ pkgs.coreutils ];
    runtimeEnv = {
      SLOTS = toString cfg.slots;
      FIRST_ID = toString ids.slots;
      FOLDER = folder;
      RESULTS = results;
      QUOTA = quota.command;
      LIMITS = quota.numbers cfg.slot;
    }
    // lib.optionalAttrs cfg.backup.enable { BACKUPS = cfg.backup.directory; };
    text = builtins.readFile ../programs/slot.sh;
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.slots > 0) {
    systemd.tmpfiles.settings.choiros.${folder}.d.mode = "0700";
    systemd.services."choiros-slot@" = {
      description = "Folders of slot %i";
      after = folders.madeBy;
      startLimitIntervalSec = 0;
      unitConfig = {
        CollectMode = "inactive-or-failed";
        RequiresMountsFor = [ folder ] ++ lib.optional cfg.backup.enable cfg.backup.directory;
      };
      serviceConfig =
        removeAttrs (import ../lib/hardening.nix) [
          # what is made in the folder of results has its group
          "RestrictSUIDSGID"
        ]
        // quota.serviceConfig
        // {
          Type = "oneshot";
          ExecStart = "${lib.getExe slot} %i";
          ReadWritePaths = [
            folder
            results
          ]
          ++ quota.serviceConfig.ReadWritePaths
          ++ lib.optional cfg.backup.enable cfg.backup.directory;
          CapabilityBoundingSet = [
            "CAP_CHOWN"
            "CAP_FSETID"
          ]
          ++ quota.serviceConfig.CapabilityBoundingSet;
          SystemCallFilter = quota.serviceConfig.SystemCallFilter ++ [ "@chown" ];
          # the hypervisor waits for it, and whoever comes waits for the hypervisor
          TimeoutStartSec = 10;
          PrivateNetwork = true;
          IPAddressDeny = "any";
        };
    };
  };
}
