# A deployment's closures become releases, before anything runs them. Each is a root of Nix' garbage collection. There is
# no link `release` to the newest: `nix-collect-garbage --delete-old` would take the others for old generations.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (import ../lib/plan.nix { inherit lib; }) folders;
  profiles = folders.releases;
  releases = import ./program.nix { inherit pkgs; } "releases" [
    config.systemd.package
    pkgs.findutils
    pkgs.gnused
  ];
  # dev's closure is what is deployed; live's own is for a live that has run nothing yet
  plan = lib.concatMapStrings (
    s: "${s.workspace} ${s.name} ${config.containers.${s.name}.path}\n"
  ) cfg.containers;
  run = "${lib.getExe releases} /etc/choiros/releases ${profiles} ${toString cfg.rollout.keepReleases}";
in
{
  config = lib.mkIf cfg.enable {
    environment.etc."choiros/releases".text = plan;

    systemd.tmpfiles.settings.choiros.${profiles}.d.mode = "0755";
    systemd.services.choiros-releases = {
      description = "Releases of the sandboxes";
      wantedBy = [ "multi-user.target" ];
      before = [ "choiros-hypervisor.service" ] ++ map (s: s.unit) cfg.sandboxes;
      after = folders.madeBy;
      # a switch reloads units before it restarts and starts others
      reloadIfChanged = true;
      restartTriggers = [ (builtins.hashString "sha256" plan) ];
      serviceConfig = import ../lib/hardening.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = run;
        ExecReload = run;
        ReadWritePaths = [ profiles ];
        UMask = "0022";
        PrivateNetwork = true;
        IPAddressDeny = "any";
      };
    };
  };
}
