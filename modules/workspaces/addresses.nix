# The address plan: every sandbox with what it is called and where it is.
{ lib }:
workspaces:
let
  ids = import ../ids.nix;
in
lib.concatLists (
  lib.mapAttrsToList (
    workspace: w:
    let
      # a workspace without an index is refused by an assertion; the plan only has to survive until then
      index = lib.defaultTo 127 w.index;
      sandbox =
        role: n:
        let
          name = "${workspace}-${role}";
        in
        {
          inherit name workspace role;
          options = w.${role};
          unit = "container@${name}.service";
          interface = "ve-${name}";
          data = "/var/lib/choiros/sandboxes/${name}";
          # the generations of its workspace, and beside them the link that says which of them it runs
          releases = "/nix/var/nix/profiles/choiros/${workspace}";
          # the owner of its /data on the host; inside, the user `sandbox` has the same id
          user = if workspace == "sandbox" then "choiros-sandbox" else "choiros-${workspace}";
          id = ids.workspace workspace index;
          hostAddress = "10.233.${toString n}.1";
          address = "10.233.${toString n}.2";
        };
    in
    [
      (sandbox "live" (2 * index - 1))
      (sandbox "dev" (2 * index))
    ]
  ) workspaces
)
