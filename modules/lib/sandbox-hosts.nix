# The hosts of the declared workspaces' sandboxes, where they have hosts of their own: [ { workspace; host; } … ].
{ lib }:
cfg:
lib.optionals (cfg.origins == "own") (
  lib.concatMap (
    workspace:
    map
      (label: {
        inherit workspace;
        host = "${label}.${cfg.sandboxDomain}";
      })
      [
        workspace
        "${workspace}-dev"
      ]
  ) (lib.attrNames cfg.workspaces)
)
