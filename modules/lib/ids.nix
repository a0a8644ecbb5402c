# Ids that stand in files, in the firewall's rules, and on both sides of a mount: they have to be the same for good.
rec {
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
}
