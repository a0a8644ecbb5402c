# A deployment's way to the people: a release that dev is given, and that live is promoted to.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  inherit (import ./lib/plan.nix { inherit lib; }) folders;
  units = import ./lib/units.nix;

  # what the gateway asks a sandbox by, whatever release it runs
  asked =
    service:
    builtins.toJSON [
      service.port
      service.health
      service.identity
    ];
  uneven = lib.filter (name: asked cfg.workspaces.${name}.live != asked cfg.workspaces.${name}.dev) (
    lib.attrNames cfg.workspaces
  );

  rollout = pkgs.writeShellApplication {
    name = "choiros-rollout";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.findutils
      pkgs.gnused
      pkgs.jq
    ];
    runtimeEnv = {
      HYPERVISOR = lib.getExe config.system.build.hypervisor;
      KIND = cfg.rollout.kind;
      PROBATION = toString cfg.rollout.probationSecs;
    };
    text = builtins.readFile ./programs/rollout.sh;
  };
  # what it waits for at most: the gateway, dev with the new release, its rehearsal, live's stop, start and way back
  waits = 60 + 180 + 180 + 4 * 90;
  unit =
    which: sandboxes: more:
    lib.recursiveUpdate {
      wantedBy = [ "multi-user.target" ];
      # a failure of the gateway is not one of the rollout; the script waits for it, within bounds
      wants = [ "choiros-hypervisor.service" ];
      after = [
        "choiros-releases.service"
        "choiros-hypervisor.service"
      ]
      ++ map (s: s.unit) sandboxes;
      inherit (config.systemd.services.choiros-releases) restartTriggers;
      serviceConfig =
        import ./lib/hardening.nix
        // units.offline
        // {
          ExecStart = "${lib.getExe rollout} ${which} /etc/choiros/releases ${folders.releases} ${folders.rollout}";
          User = "choiros";
          Group = "choiros";
          StateDirectory = lib.removePrefix "/var/lib/" folders.rollout;
          StateDirectoryMode = "0700";
        };
    } more;
in
{
  options.services.choiros.rollout = {
    kind = mkOption {
      type = types.enum [
        "manual"
        "promote"
      ];
      default = "manual";
      example = "promote";
      description = "What follows when a switch has brought a workspace a new release, and dev has it: nothing, so that someone looks at it and calls `hypervisor promote`; or a promotion, rehearsed on a fork of live's data, and taken back if live isn't healthy for the whole of `probationSecs`. Live keeps its release and its data in either case, until it is promoted.";
    };

    probationSecs = mkOption {
      type = types.ints.positive;
      default = 30;
      example = 300;
      description = "Seconds after such a promotion for which live must stay healthy.";
    };

    keepReleases = mkOption {
      type = types.ints.positive;
      default = 10;
      example = 30;
      description = "How many of a workspace's newest releases are kept from garbage collection. What a sandbox runs, and what it ran before, is kept in any case.";
    };

    swap = mkOption {
      type = types.raw;
      default = null;
      visible = false;
      description = "What was there before `kind`.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.rollout.swap == null;
        message = "services.choiros.rollout.swap is gone: a swap takes the data along, and a deployment must not. Set services.choiros.rollout.kind, \"promote\" where it was \"automatic\": live then takes the new release, and keeps its data.";
      }
      {
        assertion = cfg.rollout.kind == "promote" -> uneven == [ ];
        message = "services.choiros.workspaces.${lib.head uneven}: live and dev differ in port, health or identity, so live would never be well with the release that dev has had. Set them for the workspace, and not for one of the two; or set services.choiros.rollout.kind = \"manual\".";
      }
    ];

    systemd.services = {
      choiros-rollout = unit "declared" cfg.sandboxes {
        description = "New releases to dev, and to live if asked to";
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          # all workspaces at once, however many there are
          TimeoutStartSec = waits + cfg.rollout.probationSecs;
        };
      };
    }
    // lib.optionalAttrs (cfg.slots > 0) {
      # a switch doesn't wait for it: there may be thousands
      choiros-rollout-slots = unit "slots" [ ] {
        description = "New releases to the workspaces in slots";
        serviceConfig.Type = "exec";
      };
    };
  };
}
