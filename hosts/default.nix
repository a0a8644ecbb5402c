# A machine for each folder here.
{ self, nixpkgs, ... }:
let
  inherit (nixpkgs) lib;
  sops-nix = builtins.fetchTree (lib.importJSON ./flake.lock).nodes.sops-nix.locked;
  # what a machine with a file of secrets may decrypt; without the file it is complete, too: every secret is optional
  secrets =
    name:
    let
      file = ../secrets + "/${name}.yaml";
    in
    lib.optionals (lib.pathExists file) [
      "${sops-nix}/modules/sops"
      (./. + "/${name}/secrets.nix")
      { sops.defaultSopsFile = file; }
    ];
  machine =
    name:
    lib.nixosSystem {
      modules = [
        self.nixosModules.default
        (./. + "/${name}")
        { system.configurationRevision = self.rev or self.dirtyRev or null; }
      ]
      ++ secrets name;
    };
  folders = lib.filterAttrs (_: kind: kind == "directory") (builtins.readDir ./.);
in
lib.mapAttrs (name: _: machine name) folders
