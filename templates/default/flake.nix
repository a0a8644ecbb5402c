{
  inputs.choiros.url = "github:choir/choiros-host";
  outputs =
    { choiros, ... }:
    {
      nixosConfigurations.host = choiros.inputs.nixpkgs.lib.nixosSystem {
        modules = [
          choiros.nixosModules.default
          ./host.nix
        ];
      };
    };
}
