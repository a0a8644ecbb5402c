# The inside has the host's packages, with its overlays and its `nixpkgs.config`, unless it has a configuration of its own.
pkgs:
{ lib, config, ... }:
{
  nixpkgs.pkgs = lib.mkIf (config.nixpkgs.config == { }) (lib.mkDefault pkgs);
}
