# What the flake builds for one kind of machine. Each file here is one thing; this one names them.
{
  self,
  inputs,
  system,
}:
let
  inherit (inputs.nixpkgs) lib;
  pkgs = inputs.nixpkgs.legacyPackages.${system};
  services = import ./services { inherit (pkgs) callPackage; };
  static = pkgs.callPackage ./static.nix {
    static = import ./services { inherit (pkgs.pkgsStatic) callPackage; };
  };
  image = pkgs.callPackage ./image.nix { inherit static; };
  options-doc = import ./options-doc.nix {
    inherit pkgs;
    module = self.nixosModules.default;
  };
  checks = import ../checks {
    inherit
      self
      inputs
      lib
      pkgs
      services
      options-doc
      ;
  };
  vmTests = lib.mapAttrs' (name: lib.nameValuePair (lib.removePrefix "vm-" name)) (
    lib.filterAttrs (name: _: lib.hasPrefix "vm-" name) checks
  );
  security-group = pkgs.callPackage ./security-group {
    template = import ./security-group/template.nix {
      inherit (self.nixosConfigurations.aws-prod) config;
    };
  };
  hypervisor = services.hypervisor.overrideAttrs (old: {
    passthru = old.passthru or { } // {
      tests = vmTests;
    };
  });
  deploy = pkgs.callPackage ./deploy.nix { };
  app = package: description: {
    type = "app";
    program = lib.getExe package;
    meta = { inherit description; };
  };
in
{
  packages = {
    inherit hypervisor;
    inherit (services) sandbox;
    default = hypervisor;
    inherit static image;
    release = pkgs.callPackage ./release.nix { inherit hypervisor image static; };
    inherit options-doc security-group;
  };
  apps = {
    default = app (pkgs.callPackage ./run.nix services) "The gateway on http://localhost:9090, as `make run` starts it";
    deploy = app deploy "Build, deploy, and look whether that is what runs";
    security-group-diff = app security-group.diff "What a live security group opens too much or too little";
  };
  inherit checks;
  devShells.default = pkgs.callPackage ./shell.nix { };
  formatter = pkgs.callPackage ./formatter.nix { };
}
