# What the documents tell people to write, word for word, evaluated as the machine that they would have.
{
  self,
  lib,
  pkgs,
}:
let
  # the machine that a reader has already
  machine = import ./modules/base.nix pkgs;
  own = builtins.toFile "configuration.nix" ''
    {
      fileSystems."/" = { device = "/dev/disk/by-label/nixos"; fsType = "ext4"; };
      boot.loader.grub.device = "/dev/vda";
      system.stateVersion = "26.05";
      nixpkgs.hostPlatform = "${pkgs.stdenv.hostPlatform.system}";
    }
  '';
  snippets =
    file:
    map (rest: lib.head (lib.splitString "```" rest)) (
      lib.tail (lib.splitString "```nix\n" (builtins.readFile file))
    );
  evaluated = text: import (builtins.toFile "snippet.nix" text);
  isFlake = lib.hasInfix "outputs = ";
  notes = (import ../examples/notes/flake.nix).outputs { inherit (self.inputs) nixpkgs; };
  fromFlake =
    flake:
    (flake.outputs {
      choiros = self;
      inherit notes;
    }).nixosConfigurations.host;
  # a part of a configuration, in which flake inputs are named
  part =
    text:
    lib.nixosSystem {
      modules = [
        self.nixosModules.default
        machine
        {
          services.choiros.enable = true;
          services.choiros.domain = "choir.example.org";
        }
        (evaluated "inputs: {\n${text}\n}" { inherit notes; })
      ];
    };
  host =
    text:
    if isFlake text then
      # the one thing that isn't on the page
      fromFlake (evaluated (lib.replaceStrings [ "./configuration.nix" ] [ own ] text))
    else
      part text;
  readme = snippets ../README.md;
  hosts = map host readme ++ [ (fromFlake (import ../templates/default/flake.nix)) ];
  # the package of a machine that there is none for is an error, whose sentence says the mend
  elsewhere =
    (lib.nixosSystem {
      modules = [
        self.nixosModules.default
        { nixpkgs.hostPlatform = "riscv64-linux"; }
      ];
    }).config.services.choiros;
in
assert lib.assertMsg (
  lib.length readme == 2 && isFlake (lib.head readme)
) "README.md has a flake and a part of a configuration: see that the check finds them";
assert lib.assertMsg (
  !(builtins.tryEval elsewhere.package).success
) "a host of another kind has a package, though the flake has none for it";
pkgs.writeText "documents" (
  lib.concatMapStrings (
    h: builtins.unsafeDiscardStringContext h.config.system.build.toplevel.drvPath + "\n"
  ) hosts
)
