# The options as a page, by NixOS' own renderer, which refuses an option without a description.
{
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
    # where in the repository an option is declared changes nothing for who sets it
    transformOptions = option: option // { declarations = [ ]; };
    warningsAreErrors = true;
  };
in
pkgs.runCommand "choiros-options" { } ''
  mkdir $out
  cp ${book.optionsCommonMark} $out/options.md
  cp ${book.optionsJSON}/share/doc/nixos/options.json $out/options.json
''
