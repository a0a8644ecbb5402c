# The module with this flake's packages: what another flake imports. It changes nothing of the host's nixpkgs.
self:
{ lib, pkgs, ... }:
let
  ours = import ../packages/of-system.nix self pkgs.stdenv.hostPlatform.system;
in
{
  # imported twice is imported once
  key = "choiros";
  imports = [ ./. ];
  services.choiros = {
    package = lib.mkDefault ours.hypervisor;
    sandboxPackage = lib.mkDefault ours.sandbox;
  };
}
