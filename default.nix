# For a host without flakes: `imports = [ (import /where/this/is).nixosModules.choiros ]`. Its own nixpkgs builds the
# programs; 26.05 or newer does.
let
  packagesOf = pkgs: import ./packages/services { inherit (pkgs) callPackage; };
in
{
  nixosModules = rec {
    choiros = import ./modules/with-packages.nix { inherit packagesOf; };
    default = choiros;
  };
  # the programs, by a nixpkgs: `(import /where/this/is).packages pkgs`
  packages = pkgs: { inherit (packagesOf pkgs) hypervisor sandbox; };
}
