# What each sandbox runs, pinned: generations of a profile for each workspace, and for each sandbox a link to one of them.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  plan = import ./lib/plan.nix { inherit lib; };
  inherit (plan) folders;
  units = import ./lib/units.nix;
  profiles = folders.releases;

  # one of the two programs that write releases and pins
  program =
    name: more:
    pkgs.writeShellApplication {
      name = "choiros-${name}";
      runtimeInputs = [
        pkgs.coreutils
        pkgs.util-linux
      ]
      ++ more;
      text = builtins.readFile ./programs/links.sh + builtins.readFile (./programs + "/${name}.sh");
    };
  hardening =
    import ./lib/hardening.nix
    // units.offline
    // {
      Type = "oneshot";
      UMask = "0022";
    };

  # dev's closure is what is deployed; live's own is for a live that has run nothing yet
  closures = lib.concatMapStrings (
    s: "${s.workspace} ${s.name} ${config.containers.${s.name}.path}\n"
  ) cfg.containers;
  releases = program "releases" [
    config.systemd.package
    pkgs.findutils
    pkgs.gnused
  ];
  run = "${lib.getExe releases} /etc/choiros/releases ${profiles} ${toString cfg.rollout.keepReleases}";

  release = program "release" [ ];
  pin =
    folder: order:
    units.order
    // {
      description = "Release for ${order}";
      serviceConfig = hardening // {
        ExecStart = "${lib.getExe release} ${folder} ${order}";
        ReadWritePaths = [ folder ];
        # the hypervisor waits for it, and whoever comes waits for the hypervisor
        TimeoutStartSec = 10;
      };
    };
in
{
  config = lib.mkIf cfg.enable {
    # A deployment's closures become releases, before anything runs them. Each is a root of Nix' garbage collection. There
    # is no link `release` to the newest: `nix-collect-garbage --delete-old` would take the others for old generations.
    environment.etc."choiros/releases".text = closures;
    systemd.tmpfiles.settings.choiros.${profiles}.d.mode = "0755";
    systemd.services = {
      choiros-releases = {
        description = "Releases of the sandboxes";
        wantedBy = [ "multi-user.target" ];
        before = [ "choiros-hypervisor.service" ] ++ map (s: s.unit) cfg.sandboxes;
        after = folders.madeBy;
        # a switch reloads units before it restarts and starts others
        reloadIfChanged = true;
        restartTriggers = [ (builtins.hashString "sha256" closures) ];
        serviceConfig = hardening // {
          RemainAfterExit = true;
          ExecStart = run;
          ExecReload = run;
          ReadWritePaths = [ profiles ];
        };
      };
    }
    # The one way to pin a sandbox to another release: `choiros-release-<sandbox>@<number>`, of a slot
    # `choiros-slot-release@<sandbox>:<number>`. The folder stands in the unit, and the number is looked up there.
    // lib.listToAttrs (
      map (
        s: lib.nameValuePair "choiros-release-${s.name}@" (pin s.releases "${s.name}:%i")
      ) cfg.sandboxes
    )
    // lib.optionalAttrs (cfg.slots > 0) {
      "choiros-slot-release@" = pin (plan.slots cfg).releases "%i";
    };
  };
}
