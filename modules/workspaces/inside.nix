# The system inside a workspace's sandboxes, as a module: nothing in it tells live from dev.
{ config, pkgs }:
workspace: service:
let
  cfg = config.services.choiros;
  sandboxes = builtins.filter (s: s.workspace == workspace) cfg.sandboxes;
in
{
  imports = [
    (import ./nixpkgs.nix pkgs)
    (import ./guest.nix {
      inherit workspace;
      inherit (config.system) stateVersion;
      inherit (cfg.workspaces.${workspace}) egress;
      inherit (builtins.head sandboxes) id;
    })
    (
      if service.config == null then
        import ./sandbox.nix {
          inherit workspace;
          inherit (service) package;
          hosts = map (s: s.hostAddress) sandboxes;
        }
      else
        service.config
    )
  ];
}
