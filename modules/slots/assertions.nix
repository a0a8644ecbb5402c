{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit ((import ../lib/plan.nix { inherit lib; }).addresses cfg.network) mostIndex mostSlots;
  indices = lib.filter (i: i != null) (map (w: w.index) (lib.attrValues cfg.workspaces));
  highest = lib.foldl' lib.max 1 indices;
  reserved = lib.filter (name: builtins.match "slots|s[0-9]+" name != null) (
    lib.attrNames cfg.workspaces
  );
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = highest <= mostIndex;
        message = "services.choiros.network: ${cfg.network} has addresses for workspaces with an index of at most ${toString mostIndex}, and one has ${toString highest}. Give the workspace a lower index, or use a wider network, such as 10.233.0.0/16.";
      }
      {
        assertion = cfg.slots <= mostSlots;
        message = "services.choiros.slots: ${cfg.network} has addresses for ${toString mostSlots} slots, and not for ${toString cfg.slots}. Lower services.choiros.slots, or set services.choiros.network to a wider network, such as 10.233.0.0/16.";
      }
      {
        assertion = reserved == [ ];
        message = "services.choiros.workspaces.${lib.head reserved}: slots, s1, s2 and so on are names of slots. Rename it.";
      }
    ];
  };
}
