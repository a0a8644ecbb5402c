# How a machine gets a new version: switched, looked at, and switched back unless its gateway is well.
{
  self,
  nixpkgs,
  deploy-rs,
  ...
}:
let
  switch = "$PROFILE/bin/switch-to-configuration";
  node =
    { config, pkgs, ... }:
    let
      inherit (deploy-rs.lib.${pkgs.stdenv.hostPlatform.system}) activate;
      wellWithin = nixpkgs.lib.getExe (pkgs.callPackage ../packages/well-within.nix { });
    in
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
        path =
          (
            activate.custom
            // {
              dryActivate = "${switch} dry-activate";
              boot = "${switch} boot";
            }
          )
            config.system.build.toplevel
            ''
              cd /tmp
              ${switch} switch
              ${wellWithin} 60 http://${config.services.choiros.settings.server.listen}
            '';
      };
    };
in
{
  aws-prod = node self.nixosConfigurations.aws-prod;
}
