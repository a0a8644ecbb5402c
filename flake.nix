{
  description = "A passkey-gated home for sandboxes that can be replaced while they serve";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    crane.url = "github:ipetkov/crane";
    deploy-rs = {
      url = "github:serokell/deploy-rs";
      inputs.nixpkgs.follows = "nixpkgs";
      inputs.flake-compat.follows = "";
    };
    sops-nix = {
      url = "github:Mic92/sops-nix";
      inputs.nixpkgs.follows = "nixpkgs";
    };
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
    in
    {
      nixosModules.default = import ./modules/flake-module.nix self;
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
