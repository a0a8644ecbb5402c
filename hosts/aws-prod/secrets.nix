# What this machine may decrypt, with the SSH host key that it has. ../../secrets/README.md says how to add and rotate.
{ lib, config, ... }:
let
  file = ../../secrets/aws-prod.yaml;
in
{
  # without the file the machine is complete, too: every secret here is optional
  config = lib.mkIf (builtins.pathExists file) {
    sops.defaultSopsFile = file;
    sops.age.sshKeyPaths = [ "/etc/ssh/ssh_host_ed25519_key" ];
    # a unit, not an activation script: the list by which those restart units is deprecated in NixOS 26.05
    sops.useSystemdActivation = true;
    sops.secrets.metrics-token.restartUnits = [ "choiros-hypervisor.service" ];
    services.choiros.metricsTokenFile = config.sops.secrets.metrics-token.path;
  };
}
