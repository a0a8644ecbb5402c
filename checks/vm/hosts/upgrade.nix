# A host that has at hand the store of each version of the gateway, as the services' own migration tests keep it, and
# a closure of before there were releases.
{ lib, ... }:
let
  releases = ../../../services/hypervisor/src/store/sqlite/fixtures;
in
{
  imports = [ ./releases.nix ];
  environment.etc = lib.mapAttrs' (name: _: {
    name = "stores/${name}";
    value.text = builtins.readFile (releases + "/${name}");
  }) (builtins.readDir releases);
}
