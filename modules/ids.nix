# Ids that stand in files, in the firewall's rules, and on both sides of a mount: they have to be the same for good.
{
  # owns /data, inside a sandbox and on the host
  sandbox = 2990;
  # the firewall's check at build time knows no names
  hypervisor = 2991;
}
