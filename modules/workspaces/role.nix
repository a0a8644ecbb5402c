# One of a workspace's two sandboxes, as an option.
{ lib, service }:
workspace: role:
let
  like = value: {
    inherit value;
    text = lib.literalMD "the workspace's";
  };
in
lib.mkOption {
  default = { };
  example = {
    port = 3000;
    health.path = "/up";
  };
  description = "Where the sandbox that is born ${role} differs from the workspace. A swap exchanges the roles, not the sandboxes.";
  type = lib.types.submodule (
    { config, ... }: {
      options = service {
        package = like workspace.package;
        config = like workspace.config;
        port = like workspace.port;
        healthPath = like workspace.health.path;
        healthStatus = like workspace.health.status;
        healthHost = like workspace.health.host;
        identity = {
          value = workspace.identity && (config.config == null || workspace.config != null);
          text = lib.literalMD "the workspace's, or `false` with a `config` where the workspace has none";
        };
      };
    }
  );
}
