# What the flake builds for one kind of machine. Each file here is one thing; this one names them.
{
  self,
  inputs,
  system,
}:
let
  inherit (inputs.nixpkgs) lib;
  pkgs = inputs.nixpkgs.legacyPackages.${system};
  services = import ./services { inherit lib pkgs inputs; };
  security-group = pkgs.callPackage ./security-group {
    template = import ./security-group/template.nix {
      inherit (self.nixosConfigurations.aws-prod) config;
    };
  };
  app = package: description: {
    type = "app";
    program = lib.getExe package;
    meta = { inherit description; };
  };
in
{
  packages = {
    inherit (services) hypervisor sandbox;
    default = services.hypervisor;
    options-doc = import ./options-doc {
      inherit pkgs;
      module = self.nixosModules.default;
    };
    inherit security-group;
  };
  apps = {
    default = app (pkgs.callPackage ./run.nix services) "The gateway on http://localhost:9090, as `make run` starts it";
    deploy = app (pkgs.callPackage ./deploy.nix {
      inherit (inputs.deploy-rs.packages.${system}) deploy-rs;
    }) "Build, deploy, and look whether that is what runs";
    security-group-diff = app security-group.diff "What a live security group opens too much or too little";
  };
  checks = import ../checks {
    inherit
      self
      inputs
      lib
      pkgs
      services
      ;
  };
  devShells.default = pkgs.callPackage ./shell.nix {
    inherit (inputs.deploy-rs.packages.${system}) deploy-rs;
  };
  formatter = pkgs.callPackage ./formatter.nix { };
}
