# The ways in which a host takes the module: from the flake, without flakes, twice, and not at all after all.
{
  self,
  lib,
  pkgs,
}:
let
  machine = import ./modules/base.nix pkgs;
  flake = self.nixosModules.choiros;
  plain = (import ../.).nixosModules.choiros;
  host =
    modules:
    lib.nixosSystem {
      modules = [ machine ] ++ modules;
    };
  enabled = {
    services.choiros = {
      enable = true;
      domain = "choir.example.org";
    };
  };
  without = host [
    flake
    plain
    { disabledModules = [ flake ]; }
  ];
  programs =
    modules:
    let
      inherit (host (modules ++ [ enabled ])) config;
    in
    map (program: program.drvPath) [
      config.services.choiros.package
      config.services.choiros.sandboxPackage
    ];
  ours = map (program: program.drvPath) (
    with self.packages.${pkgs.stdenv.hostPlatform.system};
    [
      hypervisor
      sandbox
    ]
  );
  # an error, for whoever looks at it
  unread = import ../modules/with-packages.nix {
    packagesOf = _: self.packages.${pkgs.stdenv.hostPlatform.system};
    microvm = throw "microvm.nix is looked at";
  };
  holds = {
    "a host without microVMs doesn't look at microvm.nix" =
      let
        inherit
          (host [
            unread
            enabled
          ])
          config
          ;
      in
      lib.all (a: a.assertion) config.assertions
      && lib.isString config.systemd.services."container@sandbox-live".script;
    "the flake's programs are those that it has been tested with" = programs [ flake ] == ours;
    "without flakes the host's own nixpkgs builds them" = lib.all lib.isStorePath (programs [ plain ]);
    "imported by both of its names, the module is there once" =
      programs [
        flake
        self.nixosModules.default
      ] == ours;
    "a host that takes it back has none of its options" = !(without.options.services ? choiros);
  };
  broken = lib.attrNames (lib.filterAttrs (_: ok: !ok) holds);
in
assert lib.assertMsg (broken == [ ]) "not so: ${lib.concatStringsSep "; " broken}";
pkgs.writeText "imports" (lib.concatLines (lib.attrNames holds))
