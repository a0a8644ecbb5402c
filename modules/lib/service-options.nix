# What runs in a workspace's sandboxes, as options: of the workspace, and of one of the two where that differs.
{ lib, choirosTypes }:
# what each option is unless it is set: `value`, and the `text` that stands for it in the documentation
defaults:
let
  inherit (lib) mkOption types;
  option =
    name: more:
    mkOption (
      {
        default = defaults.${name}.value;
      }
      // lib.optionalAttrs (defaults.${name} ? text) { defaultText = defaults.${name}.text; }
      // more
    );
in
{
  package = option "package" {
    type = types.package;
    example = lib.literalExpression "pkgs.choiros-sandbox";
    description = "The sandbox service that runs inside, unless `config` brings another.";
  };
  config = option "config" {
    type = types.nullOr types.deferredModule;
    example = lib.literalExpression ''
      { pkgs, ... }: {
        systemd.services.web = {
          wantedBy = [ "multi-user.target" ];
          serviceConfig.User = "sandbox";
          serviceConfig.ExecStart = "''${pkgs.darkhttpd}/bin/darkhttpd /data --port 8080";
        };
      }
    '';
    description = "A NixOS module for the inside, which stands in for our sandbox service. It has a private `/data` that belongs to the user `sandbox`, and listens on `port`; whatever else it writes is gone at a restart. Who it is isn't part of it, so that both sandboxes can run it: a unit that wants to know has `PassEnvironment` with some of `SANDBOX_NAME`, `SANDBOX_INSTANCE_ROLE`, `SANDBOX_RELEASE`, `SANDBOX_LISTEN`, `SANDBOX_DATA_DIR`, `PORT` and `DATA_DIR`.";
  };
  port = option "port" {
    type = choirosTypes.port;
    example = 3000;
    description = "The port that the service inside listens on.";
  };
  health.path = option "healthPath" {
    type = types.str;
    example = "/";
    description = "The path that tells whether the service is well: any 2xx says so, or `health.status` alone.";
  };
  health.status = option "healthStatus" {
    type = types.nullOr types.ints.unsigned;
    example = 401;
    description = "The one status by which the service says that it is well, where that isn't a 2xx.";
  };
  health.host = option "healthHost" {
    type = types.nullOr types.str;
    example = "localhost";
    description = "The `Host` header to ask with, for services that answer some names only. Without it, the sandbox's address.";
  };
  identity = option "identity" {
    type = types.bool;
    example = false;
    description = "Whether the health response must name the sandbox and its role, as that of our sandbox service does.";
  };
}
