# A system as a profile of deploy-rs' that counts as activated only when the gateway on it is well.
{
  lib,
  pkgs,
  config,
  withinSecs ? 60,
}:
let
  inherit (config.system.build) toplevel;
  waitHealthy = lib.getExe (pkgs.callPackage ../packages/wait-healthy.nix { });
  # what deploy-rs starts on the machine, at the root of the profile
  script =
    name: text:
    pkgs.writeTextFile {
      inherit name;
      destination = "/${name}";
      executable = true;
      text = ''
        #!${pkgs.runtimeShell}
        set -euo pipefail
        ${text}
      '';
      checkPhase = ''
        ${pkgs.stdenv.shellDryRun} "$target"
      '';
    };
in
pkgs.buildEnv {
  name = "activatable-${toplevel.name}";
  paths = [
    toplevel
    # confirms, waits, and goes back to what was there before
    (script "activate-rs" ''
      exec ${lib.getExe' pkgs.deploy-rs "activate"} "$@"
    '')
    (script "deploy-rs-activate" ''
      cd /tmp
      switch=$PROFILE/bin/switch-to-configuration
      if [ "''${DRY_ACTIVATE:-}" = 1 ]; then
        exec "$switch" dry-activate
      elif [ "''${BOOT:-}" = 1 ]; then
        exec "$switch" boot
      fi
      "$switch" switch
      ${waitHealthy} ${toString withinSecs} ${config.services.choiros.listen.url}
    '')
  ];
}
