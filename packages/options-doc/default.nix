# The options as a page, and NixOS' own documentation of them, which refuses an option without a description.
{
  lib,
  pkgs,
  module,
}:
let
  inherit
    (pkgs.nixos {
      imports = [ module ];
      fileSystems."/".device = "none";
      boot.loader.grub.enable = false;
      system.stateVersion = "26.05";
    })
    options
    ;
  book = pkgs.nixosOptionsDoc {
    options = { inherit (options.services) choiros; };
    warningsAreErrors = true;
  };
in
pkgs.runCommand "choiros-options" { } ''
  mkdir $out
  cp ${pkgs.writeText "OPTIONS.md" (import ./text.nix { inherit lib pkgs; })} $out/OPTIONS.md
  cp ${book.optionsJSON}/share/doc/nixos/options.json $out/options.json
''
