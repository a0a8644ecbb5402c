# Formatting, lints, the code's own pages, and licences.
{
  lib,
  rustPlatform,
  cargo-deny,
  clippy,
  rustfmt,
  writableTmpDirAsHomeHook,
}:
let
  workspace = import ./workspace.nix { inherit lib; };
in
rustPlatform.buildRustPackage {
  pname = "choiros-services-lint";
  inherit (workspace) version cargoLock meta;
  src = workspace.source;
  nativeBuildInputs = [
    cargo-deny
    clippy
    rustfmt
    writableTmpDirAsHomeHook
  ];
  buildPhase = ''
    runHook preBuild
    cargo fmt --all --check
    cargo clippy --frozen --workspace --features hypervisor/fail-points --all-targets -- --deny warnings
    RUSTDOCFLAGS="--deny warnings" cargo doc --frozen --workspace --no-deps
    cargo deny --frozen check bans licenses sources
    runHook postBuild
  '';
  dontCargoInstall = true;
  installPhase = "touch $out";
  doCheck = false;
}
