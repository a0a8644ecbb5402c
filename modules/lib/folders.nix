# Folders of the host that several concerns know.
{
  # the volumes of declared workspaces, those of slots, and those that slots had
  sandboxes = "/var/lib/choiros/sandboxes";
  slots = "/var/lib/choiros/slots";
  archives = "/var/lib/choiros/archives";
  # what came of orders about volumes
  results = "/run/choiros-volumes";
  # the releases of each workspace, and those of all slots
  releases = "/nix/var/nix/profiles/choiros";
}
