# Every test, built, for a machine that has a browser but no compiler.
{
  lib,
  rustPlatform,
  cargo-nextest,
}:
let
  workspace = import ./workspace.nix { inherit lib; };
in
rustPlatform.buildRustPackage {
  pname = "choiros-services-tests";
  inherit (workspace) version cargoLock meta;
  src = workspace.source;
  nativeBuildInputs = [ cargo-nextest ];
  # a test knows the programs and its own files by the path that they had here
  buildPhase = ''
    runHook preBuild
    mkdir -p $out
    pwd > $out/workspace
    cargo nextest archive --frozen --workspace --features hypervisor/fail-points \
      --archive-file $out/tests.tar.zst
    runHook postBuild
  '';
  dontCargoInstall = true;
  installPhase = "true";
  doCheck = false;
}
