# Every declared sandbox with what it is called and where it is.
{ lib }:
{ workspaces, network, ... }:
let
  ids = import ./ids.nix;
  folders = import ./folders.nix;
  plan = import ./plan.nix { inherit lib; } network;
in
lib.concatLists (
  lib.mapAttrsToList (
    workspace: w:
    let
      # a workspace without an index is refused by an assertion; the plan only has to survive until then
      index = lib.defaultTo ids.mostWorkspaces w.index;
      sandbox =
        role: run:
        let
          name = "${workspace}-${role}";
        in
        {
          inherit name workspace role;
          options = w.${role};
          settings = w;
          unit = "container@${name}.service";
          interface = "ve-${name}";
          data = "${folders.sandboxes}/${name}";
          # the generations of its workspace, and beside them the link that says which of them it runs
          releases = "${folders.releases}/${workspace}";
          # the owner of its /data on the host; inside, the user `sandbox` has the same id
          user = if workspace == "sandbox" then "choiros-sandbox" else "choiros-${workspace}";
          id = ids.workspace workspace index;
        }
        // plan.declared run;
    in
    [
      (sandbox "live" (2 * index - 1))
      (sandbox "dev" (2 * index))
    ]
  ) workspaces
)
