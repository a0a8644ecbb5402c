# The store's restore. A sandbox's is the hypervisor's to do, which holds who comes.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  store = import ./store.nix { inherit lib config; };
  put = pkgs.writeShellApplication {
    name = "choiros-put";
    runtimeInputs = [ pkgs.coreutils ];
    runtimeEnv.PROGRAM = store.program;
    text = builtins.readFile ../programs/put.sh;
  };
  restore = pkgs.writeShellApplication {
    name = "choiros-restore";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.findutils
      pkgs.gawk
      pkgs.gnused
    ];
    runtimeEnv = {
      HYPERVISOR = lib.getExe config.system.build.hypervisor;
      COPIES = store.copies;
    };
    text = builtins.readFile ../programs/restore.sh;
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.backup.enable) {
    # while it is under way, whoever starts the hypervisor waits: nobody is refused, and nothing is written between
    systemd.services."choiros-restore-hypervisor@" = {
      description = "Restore of the hypervisor's store";
      before = [ "choiros-hypervisor.service" ];
      startLimitIntervalSec = 0;
      unitConfig = {
        RequiresMountsFor = [
          store.folder
          cfg.backup.directory
        ];
        # one that failed has said so to whoever called it
        CollectMode = "inactive-or-failed";
      };
      serviceConfig = store.view // {
        Type = "oneshot";
        # what stops the other is the host's
        RootDirectoryStartOnly = true;
        ExecStartPre = "+${lib.getExe' config.systemd.package "systemctl"} stop choiros-hypervisor.service";
        ExecStart = "${lib.getExe put} ${store.copies} %i";
        TimeoutStartSec = "30min";
      };
    };
    environment.systemPackages = [ restore ];
    system.build.choiros-restore = restore;
  };
}
