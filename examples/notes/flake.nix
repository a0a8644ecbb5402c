{
  description = "A web service that keeps notes, for a sandbox";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { nixpkgs, ... }:
    {
      packages = nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        {
          default = pkgs.writers.writePython3Bin "notes" { doCheck = false; } ./notes.py;
        }
      );
      # the inside of a sandbox that serves it
      nixosModules.default = import ./module.nix;
    };
}
