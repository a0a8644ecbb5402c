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
pkgs.runCommand "choiros-options"
  {
    # the same as Nix has it
    passthru.options = book.optionsNix;
  }
  ''
    mkdir $out
    {
      printf '# Options of `services.choiros`\n\nRendered from the module; a check keeps this page current.\n\n'
      cat ${book.optionsCommonMark}
    } > $out/options.md
    cp ${book.optionsJSON}/share/doc/nixos/options.json $out/options.json
  ''
