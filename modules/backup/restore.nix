{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  sources = import ./sources.nix { inherit config; };
  table = pkgs.writeText "choiros-restore-table" (
    lib.concatMapStrings (s: "${s.name} ${s.folder} ${s.owner} ${s.unit}\n") sources
  );
  restore = pkgs.writeShellApplication {
    name = "choiros-restore";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.findutils
      pkgs.gawk
      pkgs.gnused
      pkgs.sqlite
    ];
    runtimeEnv = {
      TABLE = "${table}";
      COPIES = cfg.backup.directory;
    };
    text = builtins.readFile ./restore.sh;
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.backup.enable) {
    environment.systemPackages = [ restore ];
    system.build.choiros-restore = restore;
  };
}
