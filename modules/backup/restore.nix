{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  sources = import ./sources.nix { inherit config; };
  view = import ./view.nix { inherit (cfg.backup) directory; };
  put = pkgs.writeShellApplication {
    name = "choiros-put";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.gnused
      pkgs.sqlite
      pkgs.util-linux
    ];
    text = builtins.readFile ./put.sh;
  };
  restore = pkgs.writeShellApplication {
    name = "choiros-restore";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.findutils
      pkgs.gawk
      pkgs.gnused
      pkgs.jq
    ];
    runtimeEnv = {
      HYPERVISOR = lib.getExe config.system.build.hypervisor;
      TABLE = "/etc/choiros/sources";
      COPIES = cfg.backup.directory;
    };
    text = builtins.readFile ./restore.sh;
  };
  # while this one is under way, whoever starts the other waits: nobody is refused, and nothing is written between
  unit = s: {
    description = "Restore of ${s.name}'s databases";
    before = [ s.unit ];
    startLimitIntervalSec = 0;
    unitConfig.RequiresMountsFor = [
      s.folder
      cfg.backup.directory
    ];
    serviceConfig = view s // {
      Type = "oneshot";
      # what stops the other is the host's
      RootDirectoryStartOnly = true;
      ExecStartPre = "+${lib.getExe' pkgs.bash "sh"} -c 'case %i in check-*) ;; *) exec ${lib.getExe' config.systemd.package "systemctl"} stop ${s.unit} ;; esac'";
      ExecStart = "${lib.getExe put} ${s.folder} ${cfg.backup.directory}/${s.name} %i";
      TimeoutStartSec = "30min";
    };
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.backup.enable) {
    systemd.services = lib.listToAttrs (
      map (s: lib.nameValuePair "choiros-restore-${s.name}@" (unit s)) sources
    );
    environment.etc."choiros/sources".text = lib.concatMapStrings (
      s: "${s.name} ${s.folder} ${s.unit} ${s.workspace}\n"
    ) sources;
    environment.systemPackages = [ restore ];
    system.build.choiros-restore = restore;
  };
}
