# What a host and its sandboxes keep for good: folders and ids that several concerns know, and the address plan.
{ lib }:
let
  networks = import ./networks.nix { inherit lib; };
in
rec {
  folders = rec {
    # all that is kept, but for releases
    state = "/var/lib/choiros";
    # the volumes of declared workspaces, those of slots, and those that slots had
    sandboxes = "${state}/sandboxes";
    snapshots = "${sandboxes}/.snapshots";
    slots = "${state}/slots";
    archives = "${state}/archives";
    # the gateway's store
    hypervisor = "${state}/hypervisor";
    # which folders have a limit of their disk space
    quota = "${state}/quota";
    # which releases were brought to whom
    rollout = "${state}/rollout";
    # what came of orders about volumes
    results = "/run/choiros-volumes";
    # the sockets on which a slot's volume goes to another machine, or comes
    streams = "/run/choiros-streams";
    # the releases of each workspace, and those of all slots
    releases = "/nix/var/nix/profiles/choiros";
    # which closure each sandbox runs
    running = "/run/choiros-sandboxes";
    # whether the rules that keep sandboxes apart stand
    seal = "/run/choiros-seal";
    # whoever needs one of these at boot, or that a switch brings, starts after these
    madeBy = [
      "systemd-tmpfiles-setup.service"
      "systemd-tmpfiles-resetup.service"
    ];
  };

  # They stand in files, in the firewall's rules, and on both sides of a mount: they have to be the same for good.
  ids = rec {
    # owns /data of the workspace `sandbox`, inside its sandboxes and on the host
    sandbox = 2990;
    # the firewall's check at build time knows no names
    hypervisor = 2991;
    # owns /data of a workspace: an id that two shared would let a link in one lead to the other's files
    workspace = name: index: if name == "sandbox" then sandbox else workspaces + index;
    workspaces = 3000;
    mostWorkspaces = 127;
    # The same for a slot, by its number. They have no names on the host: 8,000 accounts would be in everybody's way.
    slots = 40000;
    mostSlots = 8000;
  };

  # The network in blocks of four addresses, each for one sandbox's wire. Of a block the second address is the host's
  # end, and the third the sandbox's own. Of each 64 blocks the first is for a declared sandbox, and the others are for
  # slots'.
  addresses =
    network:
    let
      inherit (networks.v4 network) address prefix;
      runs = networks.power (24 - prefix);
    in
    rec {
      # as a number
      first = address;
      # of each 64, the blocks for slots' sandboxes
      slotBlocks = 63;

      # Of a declared workspace with the index i, live has the blocks' run 2i - 1, and dev 2i.
      mostIndex = (runs - 1) / 2;
      declared =
        run:
        let
          block = first + 4 * (slotBlocks + 1) * run;
        in
        {
          hostAddress = networks.text (block + 1);
          address = networks.text (block + 2);
        };

      # which address each of them has is reckoned where they are written out, in programs/slot-files.py
      mostSlots = slotBlocks * runs / 2;
    };

  # every declared sandbox with what it is called and where it is
  sandboxes =
    { workspaces, network, ... }:
    let
      inherit (addresses network) declared;
      sandbox =
        workspace: settings: role: run:
        let
          name = "${workspace}-${role}";
        in
        {
          inherit
            name
            workspace
            role
            settings
            ;
          # with others', the closure and the text of its unit
          shared = false;
          options = settings.${role};
          unit = "container@${name}.service";
          interface = "ve-${name}";
          data = "${folders.sandboxes}/${name}";
          snapshots = "${folders.snapshots}/${name}";
          # the generations of its workspace, and beside them the link that says which of them it runs
          releases = "${folders.releases}/${workspace}";
          # the owner of its /data on the host; inside, the user `sandbox` has the same id
          user = if workspace == "sandbox" then "choiros-sandbox" else "choiros-${workspace}";
          id = ids.workspace workspace (indexOf settings);
        }
        // declared run;
      # a workspace without an index is refused by an assertion; the plan only has to survive until then
      indexOf = settings: lib.defaultTo ids.mostWorkspaces settings.index;
    in
    lib.concatLists (
      lib.mapAttrsToList (workspace: settings: [
        (sandbox workspace settings "live" (2 * indexOf settings - 1))
        (sandbox workspace settings "dev" (2 * indexOf settings))
      ]) workspaces
    );

  # what those of all slots have in common, in the same words
  slots = cfg: {
    name = "slots";
    workspace = "slots";
    # live and dev are told apart by the names of their units
    role = null;
    shared = true;
    options = cfg.slot;
    settings = cfg.slot;
    # each has one of its own below it
    folder = folders.slots;
    releases = "${folders.releases}/slots";
    # until it is started, and told
    id = ids.sandbox;
    hostAddress = null;
    address = null;
  };
}
