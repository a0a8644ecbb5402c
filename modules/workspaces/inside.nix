# The system inside a workspace's sandboxes, or inside those of all slots, as a module: nothing in it tells live from dev.
{ config, pkgs }:
sandbox:
let
  cfg = config.services.choiros;
  inherit (sandbox) workspace options;
in
{
  imports = [
    (import ./nixpkgs.nix pkgs)
    (import ./guest.nix {
      inherit workspace;
      inherit (config.system) stateVersion;
      inherit (sandbox.settings) egress logRate;
      inherit (sandbox) id;
    })
    (
      if options.config == null then
        import ./sandbox.nix {
          inherit workspace;
          inherit (options) package;
          inherit (cfg) network;
        }
      else
        options.config
    )
  ];
}
