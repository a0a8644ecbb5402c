# The address plan: every declared sandbox with what it is called and where it is. Of the network's blocks of four
# addresses, those at the beginning of each 256 are for these; slots have the others.
{ lib }:
{ workspaces, network, ... }:
let
  ids = import ../ids.nix;
  folders = import ../folders.nix;
  networks = import ../networks.nix { inherit lib; };
  first = (networks.v4 network).address;
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
          block = first + 256 * n;
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
          hostAddress = networks.text (block + 1);
          address = networks.text (block + 2);
        };
    in
    [
      (sandbox "live" (2 * index - 1))
      (sandbox "dev" (2 * index))
    ]
  ) workspaces
)
