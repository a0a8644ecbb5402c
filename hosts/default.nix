# A machine for each folder here.
{
  self,
  nixpkgs,
  sops-nix,
  ...
}:
let
  inherit (nixpkgs) lib;
  machine =
    name:
    lib.nixosSystem {
      modules = [
        self.nixosModules.default
        sops-nix.nixosModules.sops
        (./. + "/${name}")
        { system.configurationRevision = self.rev or self.dirtyRev or null; }
      ];
    };
  folders = lib.filterAttrs (_: kind: kind == "directory") (builtins.readDir ./.);
in
lib.mapAttrs (name: _: machine name) folders
