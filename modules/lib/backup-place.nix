# Whether a folder may hold the copies: not what isn't kept, what is the system's, what the unit may not see, or what
# the copies are copies of; nor a folder above ours, whose owner and mode aren't for us to set.
{ lib }:
directory:
let
  inherit (import ./plan.nix { inherit lib; }) folders;
in
!lib.elem directory [
  "/mnt"
  "/srv"
  "/var"
  "/var/lib"
  folders.state
]
&& !lib.any (taken: lib.hasPrefix "${taken}/" "${directory}/") [
  "/boot"
  "/dev"
  "/etc"
  "/home"
  "/nix"
  "/proc"
  "/root"
  "/run"
  "/sys"
  "/tmp"
  "/usr"
  "/var/cache"
  "/var/lib/acme"
  "/var/lib/caddy"
  "${folders.state}/certificate"
  "/var/lib/nixos-containers"
  "/var/lib/private"
  "/var/log"
  "/var/run"
  "/var/tmp"
  folders.archives
  folders.hypervisor
  folders.quota
  folders.rollout
  folders.sandboxes
  folders.slots
]
