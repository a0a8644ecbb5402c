{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (import ../lib/plan.nix { inherit lib; }) ids;
  choirosTypes = import ../lib/types.nix { inherit lib; };
  service = import ../lib/service-options.nix { inherit lib choirosTypes; };
  settings = import ../lib/sandbox-options.nix {
    inherit lib config;
    folder = (import ../lib/plan.nix { inherit lib; }).folders.sandboxes;
  };
  role = import ./role.nix { inherit lib service; };
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
        live = role config "live";
        dev = role config "dev";
      }
      // settings config;
    };
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

    sandboxPackage = mkOption {
      type = types.package;
      default = pkgs.choiros-sandbox;
      defaultText = lib.literalExpression "pkgs.choiros-sandbox";
      example = lib.literalExpression "inputs.choiros.packages.x86_64-linux.sandbox";
      description = "The sandbox service of all sandboxes that name no other.";
    };

    sandboxes = mkOption {
      type = types.listOf types.raw;
      readOnly = true;
      internal = true;
      description = "Every sandbox of every workspace, with its names and addresses, for the other concerns.";
    };
  };

  config.services.choiros = {
    workspaces.sandbox = { };
    sandboxes = (import ../lib/plan.nix { inherit lib; }).sandboxes config.services.choiros;
  };
}
