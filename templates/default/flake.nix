{
  inputs.choiros.url = "github:choir/choiros-host";
  # what the host serves: a service that keeps notes, until yours stands here
  inputs.notes.url = "github:choir/choiros-host?dir=examples/notes";
  inputs.notes.inputs.nixpkgs.follows = "choiros/nixpkgs";
  outputs =
    { choiros, notes, ... }:
    {
      nixosConfigurations.host = choiros.inputs.nixpkgs.lib.nixosSystem {
        modules = [
          choiros.nixosModules.default
          ./host.nix
          { services.choiros.workspaces.sandbox.config = notes.nixosModules.default; }
        ];
      };
    };
}
