# A system as a deploy-rs profile that counts as activated only when the gateway on it is well.
{
  lib,
  pkgs,
  activate,
  config,
  withinSecs ? 60,
}:
let
  switch = "$PROFILE/bin/switch-to-configuration";
  waitHealthy = lib.getExe (pkgs.callPackage ../packages/wait-healthy.nix { });
  custom = activate.custom // {
    dryActivate = "${switch} dry-activate";
    boot = "${switch} boot";
  };
in
custom config.system.build.toplevel ''
  cd /tmp
  ${switch} switch
  ${waitHealthy} ${toString withinSecs} ${config.services.choiros.listen.url}
''
