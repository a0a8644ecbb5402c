# Workspaces: a live and a dev sandbox each, their place in the address plan, and their data on the host.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  choirosTypes = import ./lib/types.nix { inherit lib; };
  plan = import ./lib/plan.nix { inherit lib; };
  inherit (plan) folders ids;
  options = import ./lib/sandbox-options.nix { inherit lib config; };

  workspace =
    { name, config, ... }:
    {
      options = {
        index = mkOption {
          type = types.nullOr (types.ints.between 1 ids.mostWorkspaces);
          default = if name == "sandbox" then 1 else null;
          defaultText = lib.literalMD "`1` for the workspace `sandbox`; others must say it";
          example = 2;
          description = "The workspace's place in the address plan: its sandboxes are «2·index − 1».2 (born live) and «2·index».2 (born dev) of `services.choiros.network`, which is 10.233.1.2 and 10.233.2.2 for the first. Keep it for the workspace's life: a container that isn't restarted keeps its address.";
        };
        members = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "ada@example.org" ];
          description = "Usernames that own the workspace. Without any, the next new user who has no workspace does.";
        };
        live = options.ofRole config "live";
        dev = options.ofRole config "dev";
      }
      // options.ofWorkspace folders.sandboxes config;
    };

  workspaces = lib.mapAttrsToList (name: w: w // { inherit name; }) cfg.workspaces;
  inherit (lib.partition (w: w.index == null) workspaces) right wrong;
  unnumbered = right;
  numbered = wrong;
  free = lib.findFirst (i: !lib.any (w: w.index == i) numbered) ids.mostWorkspaces (
    lib.range 1 ids.mostWorkspaces
  );
  colliding = lib.filter (group: lib.length group > 1) (
    lib.attrValues (lib.groupBy (w: toString w.index) numbered)
  );
  # Linux cuts longer interface names to a hash, by which neither firewall nor operator knows them
  long = lib.filter (s: lib.stringLength s.interface > 15) cfg.sandboxes;

  # where the data of declared sandboxes and of slots are, and what slots had in them
  volumes = [
    folders.sandboxes
  ]
  ++ lib.optionals (cfg.slots > 0) [
    folders.slots
    folders.archives
  ];
  mounted = lib.filter (volume: config.fileSystems ? ${volume}) volumes;
  harmless = [
    "nosuid"
    "nodev"
  ];
  byUser = value: lib.listToAttrs (map (s: lib.nameValuePair s.user (value s)) cfg.sandboxes);
in
{
  options.services.choiros = {
    workspaces = mkOption {
      type = types.attrsOf (types.submodule workspace);
      default = { };
      example = lib.literalExpression ''
        {
          sandbox.memoryMax = "4G";
          notes = {
            index = 2;
            members = [ "ada@example.org" ];
          };
        }
      '';
      description = "Declared workspaces. The one named `sandbox` is always there.";
    };

    network = mkOption {
      type = choirosTypes.sandboxNetwork;
      default = "10.233.0.0/16";
      example = "172.20.0.0/16";
      description = "The private network that sandboxes have their addresses from, of which nothing else on the host may be in use: a VPC or a VPN often has some of 10.0.0.0/8, too. A narrower one has room for fewer. Stop the sandboxes when you change it: one that isn't restarted keeps its address.";
    };

    sandboxPackage = lib.mkPackageOption pkgs "choiros-sandbox" {
      example = "inputs.choiros.packages.x86_64-linux.sandbox";
      extraDescription = "It is the sandbox service of all sandboxes that name no other.";
    };

    sandboxes = mkOption {
      type = types.listOf types.raw;
      readOnly = true;
      internal = true;
      description = "Every sandbox of every workspace, with its names and addresses, for the other concerns.";
    };
  };

  config = lib.mkMerge [
    {
      services.choiros = {
        workspaces.sandbox = { };
        sandboxes = plan.sandboxes cfg;
      };
    }

    (lib.mkIf cfg.enable {
      assertions = [
        {
          assertion = unnumbered == [ ];
          message = "services.choiros.workspaces.${(lib.head unnumbered).name} has no index, which its addresses follow from. Set its index = ${toString free}, and keep it.";
        }
        {
          assertion = colliding == [ ];
          message = "services.choiros.workspaces: ${
            lib.concatMapStringsSep " and " (w: w.name) (lib.head colliding)
          } have one index, and so the same addresses. Set another for one of them; ${toString free} is free.";
        }
        {
          assertion = long == [ ];
          message = "services.choiros.workspaces.${(lib.head long).workspace}: ${(lib.head long).interface}, the interface of its container, is longer than the 15 characters that Linux has for one. Use a name of at most 7 characters.";
        }
      ]
      ++ map (volume: {
        assertion = lib.subtractLists config.fileSystems.${volume}.options harmless == [ ];
        message = "services.choiros: what a sandbox leaves in ${volume} could be a set-uid program of root's. Add \"nosuid\" and \"nodev\" to fileSystems.\"${volume}\".options.";
      }) mounted;

      # each sandbox's /data has the owner that it has inside
      users.users = byUser (s: {
        isSystemUser = true;
        group = s.user;
        uid = s.id;
      });
      users.groups = byUser (s: {
        gid = s.id;
      });
      systemd.tmpfiles.settings.choiros = {
        ${folders.state}.d.mode = "0755";
        # where no other user of the host gets
        ${folders.sandboxes}.d.mode = "0700";
      }
      // lib.listToAttrs (
        map (
          s:
          lib.nameValuePair s.data {
            d = {
              mode = "0700";
              inherit (s) user;
              group = s.user;
            };
          }
        ) cfg.sandboxes
      );

      # Root inside a sandbox is root in the files that it leaves in /data: set-uid programs and devices are of no use
      # here, whoever comes by
      systemd.mounts = map (volume: {
        description = "Sandboxes' data, without set-uid programs and devices";
        what = volume;
        where = volume;
        type = "none";
        options = lib.concatStringsSep "," ([ "bind" ] ++ harmless);
        wantedBy = [ "local-fs.target" ];
        before = [ "local-fs.target" ];
      }) (lib.subtractLists mounted volumes);
    })
  ];
}
