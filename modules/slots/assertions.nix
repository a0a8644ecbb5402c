{ lib, config, ... }:
let
  cfg = config.services.choiros;
  networks = import ../networks.nix { inherit lib; };
  network = networks.v4 cfg.network;
  # runs of 64 blocks, of which the first is a declared sandbox's, and the others are slots'
  runs = networks.power (24 - network.prefix);
  most = (runs - 1) / 2;
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
        assertion = highest <= most;
        message = "services.choiros.network: ${cfg.network} has addresses for workspaces with an index of at most ${toString most}, and one has ${toString highest}. Give the workspace a lower index, or use a wider network, such as 10.233.0.0/16.";
      }
      {
        assertion = 2 * cfg.slots <= 63 * runs;
        message = "services.choiros.slots: ${cfg.network} has addresses for ${toString (63 * runs / 2)} slots, and not for ${toString cfg.slots}. Lower services.choiros.slots, or set services.choiros.network to a wider network, such as 10.233.0.0/16.";
      }
      {
        assertion = reserved == [ ];
        message = "services.choiros.workspaces.${lib.head reserved}: slots, s1, s2 and so on are names of slots. Rename it.";
      }
    ];
  };
}
