# The hypervisor may start and stop the containers of its workspaces, pin them to their releases, have their volumes
# copied, and ask nothing else of systemd.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  units = builtins.toJSON (map (s: s.unit) cfg.sandboxes);
  orders = import ../volumes/orders.nix { inherit lib; };
  # whose snapshots it may get: its own back, and the other's
  sources = s: map (o: o.name) (lib.filter (o: o.workspace == s.workspace) cfg.sandboxes);
  # whole names of units
  started = builtins.toJSON (
    lib.concatMap (s: [
      "^choiros-release-${s.name}@[1-9][0-9]{0,8}[.]service$"
      "^choiros-volume-${s.name}@(${orders (sources s)})[.]service$"
    ]) cfg.sandboxes
  );
in
{
  config = lib.mkIf cfg.enable {
    security.polkit.enable = true;
    security.polkit.extraConfig = ''
      polkit.addRule(function (action, subject) {
        var units = ${units};
        var verbs = ["start", "stop", "restart"];
        var started = ${started};
        if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "choiros") {
          var unit = action.lookup("unit"), verb = action.lookup("verb");
          var allowed = units.indexOf(unit) >= 0 && verbs.indexOf(verb) >= 0;
          if (verb == "start") {
            allowed = allowed || started.some(function (name) { return new RegExp(name).test(unit); });
          }
          return allowed ? polkit.Result.YES : polkit.Result.NO;
        }
      });
    '';
  };
}
