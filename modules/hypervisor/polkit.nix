# The hypervisor may start and stop the containers of its workspaces, and ask nothing else of systemd.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  units = builtins.toJSON (map (s: s.unit) cfg.sandboxes);
in
{
  config = lib.mkIf cfg.enable {
    security.polkit.enable = true;
    security.polkit.extraConfig = ''
      polkit.addRule(function (action, subject) {
        var units = ${units};
        var verbs = ["start", "stop", "restart"];
        if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "choiros") {
          var allowed = units.indexOf(action.lookup("unit")) >= 0 && verbs.indexOf(action.lookup("verb")) >= 0;
          return allowed ? polkit.Result.YES : polkit.Result.NO;
        }
      });
    '';
  };
}
