# Copies of the sandboxes' data: snapshots, and what is made of them.
{
  imports = [ ./service.nix ];
}
