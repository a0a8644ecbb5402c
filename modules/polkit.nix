# The hypervisor may start and stop the containers of its workspaces, pin them to their releases, have their volumes
# copied, have a slot made ready, and ask nothing else of systemd.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  units = builtins.toJSON (map (s: s.unit) cfg.sandboxes);
  inherit (import ./lib/volumes.nix { inherit lib config pkgs; }) ordersOfSandbox ordersOfSlot;
  # whose snapshots it may get: its own back, and the other's
  sources = s: map (o: o.name) (lib.filter (o: o.workspace == s.workspace) cfg.sandboxes);
  # whole names of units
  started = lib.concatMap (s: [
    "^choiros-release-${s.name}@[1-9][0-9]{0,8}[.]service$"
    "^choiros-volume-${s.name}@(${ordersOfSandbox (sources s)})[.]service$"
  ]) cfg.sandboxes;
  # the same of slots, of which each has its number first
  number = "([1-9][0-9]{0,3})";
  slots = {
    units = lib.optional (cfg.slots > 0) "^container@s${number}-(live|dev)[.]service$";
    started = lib.optionals (cfg.slots > 0) [
      "^choiros-slot@${number}[.]service$"
      "^choiros-slot-release@s${number}-(live|dev):[1-9][0-9]{0,8}[.]service$"
      # a slot's unit is for the slot's own volumes
      "^choiros-slot-volume-${number}@s\\1-(live|dev):(${
        ordersOfSlot [
          "s\\1-live"
          "s\\1-dev"
        ]
      })[.]service$"
    ];
  };
in
{
  config = lib.mkIf cfg.enable {
    security.polkit.enable = true;
    security.polkit.extraConfig = ''
      polkit.addRule(function (action, subject) {
        var units = ${units};
        var verbs = ["start", "stop", "restart"];
        var started = ${builtins.toJSON started};
        var slots = ${builtins.toJSON slots};
        function ofSlot(patterns, unit) {
          return patterns.some(function (name) {
            var found = new RegExp(name).exec(unit);
            return found !== null && Number(found[1]) <= ${toString cfg.slots};
          });
        }
        if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "choiros") {
          var unit = action.lookup("unit"), verb = action.lookup("verb");
          var allowed = verbs.indexOf(verb) >= 0 && (units.indexOf(unit) >= 0 || ofSlot(slots.units, unit));
          if (verb == "start") {
            allowed = allowed || started.some(function (name) { return new RegExp(name).test(unit); }) || ofSlot(slots.started, unit);
          }
          return allowed ? polkit.Result.YES : polkit.Result.NO;
        }
      });
    '';
  };
}
