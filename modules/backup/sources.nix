# What is backed up: a name, the folder of the databases, their owner, and the unit that must rest for a restore.
{ config }:
let
  cfg = config.services.choiros;
  choiros = config.users.users.choiros.uid;
in
[
  {
    name = "hypervisor";
    folder = "/var/lib/choiros/hypervisor";
    uid = choiros;
    unit = "hypervisor.service";
  }
]
++ map (s: {
  inherit (s) name unit;
  folder = s.data;
  inherit (s.options) uid;
}) cfg.sandboxes
