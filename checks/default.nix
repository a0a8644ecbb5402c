# Everything that must hold: the services' checks, the module's cases, and one VM test for each Nix file in vm/.
{
  self,
  inputs,
  lib,
  pkgs,
  serviceChecks,
}:
let
  inherit (pkgs.stdenv.hostPlatform) system;
  vmTests =
    lib.mapAttrs'
      (
        file: _:
        let
          name = lib.removeSuffix ".nix" file;
        in
        lib.nameValuePair "vm-${name}" (
          pkgs.testers.runNixOSTest {
            imports = [ (./vm + "/${file}") ];
            inherit name;
            testScript = builtins.readFile (./vm + "/${name}.py");
            _module.args = { inherit self inputs; };
            defaults.imports = [ self.nixosModules.default ];
            skipTypeCheck = true;
          }
        )
      )
      (
        lib.filterAttrs (file: kind: kind == "regular" && lib.hasSuffix ".nix" file) (builtins.readDir ./vm)
      );
in
serviceChecks
// vmTests
// lib.mapAttrs' (name: lib.nameValuePair "host-${name}") (
  lib.mapAttrs (_: machine: machine.config.system.build.toplevel) (
    lib.filterAttrs (_: m: m.pkgs.stdenv.hostPlatform.system == system) self.nixosConfigurations
  )
)
// lib.optionalAttrs (system == "x86_64-linux") (
  inputs.deploy-rs.lib.${system}.deployChecks self.deploy
)
// {
  modules = import ./modules/run.nix {
    inherit lib pkgs;
    evaluate =
      module:
      (lib.nixosSystem {
        modules = [
          self.nixosModules.default
          ./modules/base.nix
          module
        ];
      }).config;
  };
}
