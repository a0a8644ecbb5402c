# What the sandboxes of all slots have in common, as the address plan has it of each that is declared.
{ cfg }:
let
  folders = import ./folders.nix;
in
{
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
  id = (import ./ids.nix).sandbox;
  hostAddress = null;
  address = null;
}
