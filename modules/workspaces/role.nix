# One of a workspace's two sandboxes, as an option.
{
  lib,
  choirosTypes,
  sandboxPackage,
}:
role:
let
  inherit (lib) mkOption types;
in
mkOption {
  default = { };
  example = {
    port = 3000;
    health.path = "/up";
  };
  description = "The sandbox that is born ${role}. A swap exchanges the roles, not the sandboxes.";
  type = types.submodule (
    { config, ... }: {
      options = {
        package = mkOption {
          type = types.package;
          default = sandboxPackage;
          defaultText = lib.literalExpression "config.services.choiros.sandboxPackage";
          example = lib.literalExpression "pkgs.choiros-sandbox";
          description = "The sandbox service that runs inside, unless `config` brings another.";
        };
        config = mkOption {
          type = types.nullOr types.deferredModule;
          default = null;
          example = lib.literalExpression ''
            { pkgs, ... }: {
              systemd.services.web = {
                wantedBy = [ "multi-user.target" ];
                serviceConfig.User = "sandbox";
                serviceConfig.ExecStart = "''${pkgs.darkhttpd}/bin/darkhttpd /data --port 8080";
              };
            }
          '';
          description = "A NixOS module for the inside, which stands in for our sandbox service. It has a private `/data` that belongs to the user `sandbox`, and listens on `port`; whatever else it writes is gone at a restart.";
        };
        port = mkOption {
          type = choirosTypes.port;
          default = 8080;
          example = 3000;
          description = "The port that the service inside listens on.";
        };
        health.path = mkOption {
          type = choirosTypes.urlPath;
          default = "/health";
          example = "/";
          description = "The path that tells whether the service is well: any 2xx says so, or `health.status` alone.";
        };
        health.status = mkOption {
          type = types.nullOr (types.ints.between 200 599);
          default = null;
          example = 401;
          description = "The one status by which the service says that it is well, where that isn't a 2xx.";
        };
        health.host = mkOption {
          type = types.nullOr choirosTypes.hostHeader;
          default = null;
          example = "localhost";
          description = "The `Host` header to ask with, for services that answer some names only. Without it, the sandbox's address.";
        };
        identity = mkOption {
          type = types.bool;
          default = config.config == null;
          defaultText = lib.literalMD "whether our sandbox service runs inside";
          example = false;
          description = "Whether the health response must name the sandbox and its role, as that of our sandbox service does.";
        };
      };
    }
  );
}
