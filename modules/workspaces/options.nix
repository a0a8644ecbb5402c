{
  lib,
  config,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  choirosTypes = import ../types.nix { inherit lib; };
  inherit (config.services.choiros) sandboxPackage;
  service = import ./service.nix { inherit lib choirosTypes; };
  role = import ./role.nix { inherit lib service; };
  workspace =
    { name, config, ... }:
    {
      options = {
        index = mkOption {
          type = types.nullOr (types.ints.between 1 127);
          default = if name == "sandbox" then 1 else null;
          defaultText = lib.literalMD "`1` for the workspace `sandbox`; others must say it";
          example = 2;
          description = "The workspace's place in the address plan: its sandboxes are 10.233.«2·index − 1».2 (born live) and 10.233.«2·index».2 (born dev). Keep it for the workspace's life: a container that isn't restarted keeps its address.";
        };
        members = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "ada@example.org" ];
          description = "Usernames that own the workspace. Without any, the next new user who has no workspace does.";
        };
        live = role config "live";
        dev = role config "dev";
        memoryMax = mkOption {
          type = choirosTypes.size;
          default = "2G";
          example = "512M";
          description = "Memory that each of the two sandboxes may use.";
        };
        tasksMax = mkOption {
          type = types.ints.positive;
          default = 1024;
          example = 256;
          description = "Processes and threads that each of the two sandboxes may have.";
        };
        egress = mkOption {
          type = types.either (types.enum [
            "none"
            "internet"
          ]) (types.listOf choirosTypes.ipv4);
          default = "none";
          example = [ "198.51.100.0/24" ];
          description = "Where the sandboxes may open connections to: nowhere, public addresses only (neither the host, nor private networks, nor a cloud's metadata service; names are resolved by public servers, unless `config` sets others), or the IPv4 networks listed.";
        };
      }
      // service {
        package = {
          value = sandboxPackage;
          text = lib.literalExpression "config.services.choiros.sandboxPackage";
        };
        config.value = null;
        port.value = 8080;
        healthPath.value = "/health";
        healthStatus.value = null;
        healthHost.value = null;
        identity = {
          value = config.config == null;
          text = lib.literalMD "whether our sandbox service runs inside";
        };
      };
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
    sandboxes = import ./addresses.nix { inherit lib; } config.services.choiros.workspaces;
  };
}
