# What this machine may decrypt, with the SSH host key that it has. ../../secrets/README.md says how to add and rotate.
{ config, ... }:
{
  sops.age.sshKeyPaths = [ "/etc/ssh/ssh_host_ed25519_key" ];
  # a unit, not an activation script: the list by which those restart units is deprecated in NixOS 26.05
  sops.useSystemdActivation = true;
  sops.secrets.metrics-token.restartUnits = [ "choiros-hypervisor.service" ];
  services.choiros.metricsTokenFile = config.sops.secrets.metrics-token.path;
}
