# How a machine gets a new version: switched, looked at, and switched back unless its gateway is well.
{ self, nixpkgs, ... }:
let
  node =
    { config, pkgs, ... }:
    {
      hostname = config.services.choiros.domain;
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
{
  aws-prod = node self.nixosConfigurations.aws-prod;
}
