{
  lib,
  config,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (import ../lib/plan.nix { inherit lib; }) ids;
  cfg = config.services.choiros;
  settings = import ../lib/sandbox-options.nix {
    inherit lib config;
    folder = (import ../lib/plan.nix { inherit lib; }).folders.slots;
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
      type = types.submodule ({ config, ... }: { options = settings config; });
      default = { };
      example = {
        memoryMax = "1G";
        egress = "internet";
      };
      description = "What runs in the sandboxes of all slots, and what they may.";
    };

    archiveDays = mkOption {
      type = types.ints.between 0 36500;
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

  config.services.choiros.containers =
    cfg.sandboxes ++ lib.optional (cfg.slots > 0) ((import ../lib/plan.nix { inherit lib; }).slots cfg);
}
