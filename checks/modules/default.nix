# Cases without a machine: what the module makes of its options. One file a concern; `evaluate` is NixOS, or a stand-in.
{
  evaluate,
  # all that there are, unless someone asks for a few
  concerns ? import ./concerns.nix,
}:
let
  # A guest is a system of its own, which takes seconds to evaluate: here the program that runs it is a name. The VM tests
  # have whole ones.
  guests =
    { lib, pkgs, ... }:
    {
      services.choiros.microvm = {
        build = lib.mkDefault (_: pkgs.writeShellScriptBin "microvm-run" "");
        source = lib.mkOverride 900 ./.;
        # whatever kind of machine looks at the cases
        system = lib.mkDefault "x86_64-linux";
      };
    };
  # with what the evaluator at hand may not declare, and our module sets if asked to
  whole = config: {
    imports = [
      config
      guests
      ../foreign/stand-ins.nix
    ];
  };
  # a host with these choiros settings, and `more` of NixOS
  with' = more: settings: {
    imports = [ more ];
    services.choiros = {
      enable = true;
      domain = "choir.example.org";
    }
    // settings;
  };
  words = {
    inherit with';
    evaluate = config: evaluate (whole config);
    on = with' { };
    # hosts whose hypervisor ends TLS, and what these have for it
    ending = rec {
      gateway = settings: {
        ingress = {
          kind = "gateway";
        }
        // settings;
      };
      acme = settings: with' { security.acme.acceptTerms = true; } (gateway settings);
      shared = settings: gateway settings // { origins = "shared"; };
      tls = c: c.services.choiros.settings.tls;
      unit = c: c.systemd.services.choiros-hypervisor;
    };
    # what functions of the module say, without a host: `reckon` is lib -> [ { name; ok; } … ]
    reckoned = reckon: {
      config = { lib, ... }: {
        services.choiros.domain = "choir.example.org";
        system.build.reckoned = reckon lib;
      };
      expect = c: c.system.build.reckoned;
    };
    # of which a pattern may not be made: what a store path in it depends on
    says =
      text: part: builtins.length (builtins.split (builtins.unsafeDiscardStringContext part) text) > 1;
  };
in
builtins.mapAttrs (_: case: case // { config = whole case.config; }) (
  builtins.foldl' (cases: concern: cases // import (./. + "/${concern}.nix") words) { } concerns
)
