{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit ((import ../lib/plan.nix { inherit lib; }).ids) mostWorkspaces;
  workspaces = lib.mapAttrsToList (name: w: w // { inherit name; }) cfg.workspaces;
  taken = map (w: w.index) (lib.filter (w: w.index != null) workspaces);
  free = lib.findFirst (i: !lib.elem i taken) mostWorkspaces (lib.range 1 mostWorkspaces);
  groups = key: list: lib.attrValues (lib.groupBy key list);
  several = lib.filter (group: lib.length group > 1);
  namesOf = lib.concatMapStringsSep " and " (w: w.name);

  unnumbered = lib.filter (w: w.index == null) workspaces;
  colliding = several (groups (w: toString w.index) (lib.filter (w: w.index != null) workspaces));
  misnamed = lib.filter (w: builtins.match "[a-z]([a-z0-9-]*[a-z0-9])?" w.name == null) workspaces;
  # Linux cuts longer interface names to a hash, by which neither firewall nor operator knows them
  long = lib.filter (s: lib.stringLength s.interface > 15) cfg.sandboxes;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = unnumbered == [ ];
        message = "services.choiros.workspaces.${(lib.head unnumbered).name} has no index, which its addresses follow from. Set its index = ${toString free}, and keep it.";
      }
      {
        assertion = colliding == [ ];
        message = "services.choiros.workspaces: ${namesOf (lib.head colliding)} have one index, and so the same addresses. Set another for one of them; ${toString free} is free.";
      }
      {
        assertion = misnamed == [ ];
        message = "services.choiros.workspaces.${(lib.head misnamed).name}: a workspace's name has a lowercase letter first, then lowercase letters, digits and inner hyphens. Rename it.";
      }
      {
        assertion = long == [ ];
        message = "services.choiros.workspaces.${(lib.head long).workspace}: ${(lib.head long).interface}, the interface of its container, is longer than the 15 characters that Linux has for one. Use a name of at most 7 characters.";
      }
    ];
  };
}
