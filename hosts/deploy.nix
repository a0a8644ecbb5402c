# How a machine gets a new version: switched, looked at, and switched back unless its gateway is well. `deploy` without a
# host has all of them switched in no order that one could rely on, and undoes those that went well when one doesn't; for
# machines of a cluster give their names to `nix run .#deploy`, which ends with the first that isn't well.
{ self, nixpkgs, ... }:
let
  node =
    { config, pkgs, ... }:
    {
      hostname =
        if config.services.choiros.cluster.machine == null then
          config.services.choiros.domain
        else
          # the domain is that of all machines
          config.networking.fqdn;
      sshUser = "root";
      magicRollback = true;
      autoRollback = true;
      # choiros-rollout waits for sandboxes and, if asked to, for their probation
      activationTimeout = 900;
      confirmTimeout = 60;
      profiles.system = {
        user = "root";
        path = import ./activation.nix {
          inherit (nixpkgs) lib;
          inherit config pkgs;
        };
      };
    };
in
nixpkgs.lib.genAttrs [
  "aws-prod"
  "cluster-a"
  "cluster-b"
  "cluster-c"
] (name: node self.nixosConfigurations.${name})
