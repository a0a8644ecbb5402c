# What the sandboxes of all slots have in common, as the address plan has it of each that is declared.
{ cfg }:
{
  name = "slots";
  workspace = "slots";
  # live and dev are told apart by the names of their units
  role = null;
  shared = true;
  options = cfg.slot;
  settings = cfg.slot;
  folder = "/var/lib/choiros/slots";
  releases = "/nix/var/nix/profiles/choiros/slots";
  # until it is started, and told
  id = (import ../ids.nix).sandbox;
  hostAddress = null;
  address = null;
}
