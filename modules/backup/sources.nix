# What is backed up: a name, the folder of the databases, their owner, and the unit that must rest for a restore.
{ config }:
[
  {
    name = "hypervisor";
    folder = "/var/lib/choiros/hypervisor";
    owner = "choiros";
    unit = "hypervisor.service";
    workspace = "-";
  }
]
++ map (s: {
  inherit (s) name unit workspace;
  folder = s.data;
  owner = s.user;
}) config.services.choiros.sandboxes
