# What the hypervisor may ask of a sandbox's volume, as a pattern of the instances of `choiros-volume-<sandbox>@`: names
# and ids, and no path. `sources` are the sandboxes whose snapshots it may get; with `archives`, whole volumes may be put
# away.
{
  lib,
  archives ? false,
}:
sources:
let
  id = "[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}";
in
lib.concatStringsSep "|" (
  [
    "list"
    # how much is in it
    "usage"
    "recover"
    # but none of these
    "prune(:${id})*"
    "(prepare|remove):${id}"
    # one of its own, without a copy
    "put-back:${id}:${id}"
    # and of backups, which are the sandbox's own as well
    "backups"
    "backup:${id}"
    "import:${id}:${id}"
    "snapshot:${id}:(asked|promote|fork|restore|aside|backup)"
    "replace:(${lib.concatStringsSep "|" sources}):${id}:${id}"
  ]
  ++ lib.optional archives "(archive|unarchive|discard):${id}"
)
