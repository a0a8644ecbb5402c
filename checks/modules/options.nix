{ on, ... }:
{
  "OPTIONS.md says what the options say" = {
    config =
      { lib, pkgs, ... }:
      {
        imports = [ (on { }) ];
        system.build.optionsPage = import ../../packages/options-doc/text.nix { inherit lib pkgs; };
      };
    expect = c: c.system.build.optionsPage == builtins.readFile ../../modules/OPTIONS.md;
  };
}
