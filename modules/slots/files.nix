# What there is for each slot: links to units that all share, with the few lines in which they differ, and the lists of
# addresses for the gateway and the firewall. One program writes all of it, so that a host with a thousand slots is
# evaluated, built and switched to as fast as one with none.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (import ../lib/plan.nix { inherit lib; }) ids;
  # the text of a unit that is there for slots alone, and runs below their names
  shared = name: unit: pkgs.writeText "${name}.service" config.systemd.units.${unit}.text;
  plan = {
    inherit (cfg) slots;
    inherit ((import ../lib/plan.nix { inherit lib; }).addresses cfg.network) first slotBlocks;
    firstId = ids.slots;
    inherit (cfg.slot) port;
    declared = map (s: { inherit (s) interface address hostAddress; }) cfg.sandboxes;
  }
  // lib.optionalAttrs (cfg.slots > 0) {
    container = shared "choiros-slot-container" "container@slots.service";
    volume = shared "choiros-slot-volume" "choiros-slot-volume@.service";
  };
in
{
  config = lib.mkIf cfg.enable {
    services.choiros.slotFiles =
      pkgs.runCommand "choiros-slots"
        {
          nativeBuildInputs = [ pkgs.python3 ];
        }
        "python3 ${../programs/slot-files.py} ${pkgs.writeText "choiros-slots.json" (builtins.toJSON plan)} $out";

    # Beside /etc/systemd/system, where NixOS would link each file by a process of its own: the folder from which systemd
    # takes what is attached to a host as a whole.
    environment.etc = lib.optionalAttrs (cfg.slots > 0) {
      "systemd/system.attached".source = "${cfg.slotFiles}/units";
    };
  };
}
