# One of a workspace's two sandboxes, as an option.
{
  lib,
  names,
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
          description = "A NixOS module for the inside, which stands in for our sandbox service. It has a private `/data` that belongs to the user `sandbox`, and listens on `port`.";
        };
        port = mkOption {
          type = types.port;
          default = 8080;
          example = 3000;
          description = "The port that the service inside listens on.";
        };
        health.path = mkOption {
          type = names.urlPath;
          default = "/health";
          example = "/";
          description = "The path that answers 200 when the service is well.";
        };
        identity = mkOption {
          type = types.bool;
          default = config.config == null;
          defaultText = lib.literalMD "whether our sandbox service runs inside";
          example = false;
          description = "Whether the health answer must name the sandbox and its role, as that of our sandbox service does.";
        };
      };
    }
  );
}
