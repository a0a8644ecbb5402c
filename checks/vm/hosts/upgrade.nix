# A host that has at hand the store of each release, as the services' own migration tests keep it.
{ lib, ... }:
let
  releases = ../../../services/hypervisor/src/store/sqlite/fixtures;
in
{
  imports = [ ./plain.nix ];
  environment.etc = lib.mapAttrs' (name: _: {
    name = "releases/${name}";
    value.text = builtins.readFile (releases + "/${name}");
  }) (builtins.readDir releases);
}
