{
  description = "A passkey-gated home for sandboxes that can be replaced while they serve";

  # few, for each is one more in the lock of whoever takes the module; what only machines of ours need is in hosts/
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
  # for hosts with microVMs, and fetched by these alone; not as a flake, which would bring inputs of its own
  inputs.microvm = {
    url = "github:microvm-nix/microvm.nix";
    flake = false;
  };

  outputs =
    { self, nixpkgs, ... }@inputs:
    let
      inherit (nixpkgs) lib;
      each =
        f:
        lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
          system: f (import ./packages { inherit self inputs system; })
        );
      ours = pkgs: import ./packages/of-system.nix self pkgs.stdenv.hostPlatform.system;
      module = import ./modules/with-packages.nix {
        packagesOf = ours;
        inherit (inputs) microvm;
      };
    in
    {
      nixosModules.choiros = module;
      nixosModules.default = module;
      overlays.default = _final: prev: {
        choiros-hypervisor = (ours prev).hypervisor;
        choiros-sandbox = (ours prev).sandbox;
      };

      nixosConfigurations = import ./hosts inputs;
      deploy.nodes = import ./hosts/deploy.nix inputs;
      templates.default = {
        path = ./templates/default;
        description = "A host of one's own, with one's own web service behind passkeys";
      };

      packages = each (p: p.packages);
      apps = each (p: p.apps);
      checks = each (p: p.checks);
      devShells = each (p: p.devShells);
      formatter = each (p: p.formatter);
    };
}
