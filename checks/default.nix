# Everything that must hold: the services' checks, the module's cases, and one VM test for each Nix file in vm/.
{
  self,
  inputs,
  lib,
  pkgs,
  services,
  options-doc,
}:
let
  inherit (pkgs.stdenv.hostPlatform) system;
  vmTest =
    name:
    pkgs.testers.runNixOSTest (test: {
      imports = [ (./vm/tests + "/${name}.nix") ];
      # those of other tests, too, one after the other
      options.scripts = lib.mkOption { default = [ name ]; };
      config.name = name;
      config.testScript =
        { nodes, ... }:
        "kind = \"${nodes.machine.services.choiros.ingress.kind}\"\n"
        + "isolation = \"${nodes.machine.services.choiros.workspaces.sandbox.isolation}\"\n"
        # seconds that whatever starts a sandbox may take
        + "patience = ${if nodes.machine.services.choiros.microvm.emulate then "1800" else "300"}\n"
        + builtins.readFile ./vm/common.py
        + lib.optionalString (nodes ? client) (builtins.readFile ./vm/client.py)
        + lib.concatMapStrings (
          script: builtins.readFile (./vm/tests + "/${script}.py")
        ) test.config.scripts;
      # the passkey in software
      config.extraPythonPackages = p: [
        p.cryptography
        p.fido2
      ];
      config.skipTypeCheck = true;
      config._module.args = { inherit self inputs services; };
      config.defaults.imports = [ self.nixosModules.default ];
    });
  light = import ./light.nix system;
  machines = lib.filterAttrs (
    _: machine: machine.pkgs.stdenv.hostPlatform.system == system
  ) self.nixosConfigurations;
  # guests are made for one kind of machine until now
  isTest =
    file: lib.hasSuffix ".nix" file && (lib.hasPrefix "microvm-" file -> system == "x86_64-linux");
  vmTests = lib.listToAttrs (
    map (
      file:
      lib.nameValuePair "vm-${lib.removeSuffix ".nix" file}" (light (lib.removeSuffix ".nix" file) vmTest)
    ) (lib.filter isTest (lib.attrNames (builtins.readDir ./vm/tests)))
  );
in
services.checks
// vmTests
// lib.mapAttrs' (name: lib.nameValuePair "host-${name}") (
  lib.mapAttrs (_: machine: machine.config.system.build.toplevel) machines
)
// {
  deploy = import ./deploy.nix {
    inherit lib pkgs;
    nodes = lib.intersectAttrs machines self.deploy.nodes;
  };
  options-page = import ./options-page.nix { inherit pkgs options-doc; };
  imports = import ./imports.nix { inherit self lib pkgs; };
  documents = import ./documents.nix { inherit self lib pkgs; };
}
// import ./modules/run.nix {
  inherit lib pkgs;
  evaluate =
    module:
    (lib.nixosSystem {
      modules = [
        self.nixosModules.default
        (import ./modules/base.nix pkgs)
        module
      ];
    }).config;
}
