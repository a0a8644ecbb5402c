# The tests that need neither a browser, which the VM test `browser` has, nor a machine of their own.
{
  lib,
  runCommand,
  cargo-nextest,
  pebble,
  postgresql,
  prometheus,
  tests,
}:
let
  # what tests read of the repository beside the services
  source = lib.fileset.toSource {
    root = ../..;
    fileset = lib.fileset.unions [
      ../../modules/monitoring
      (lib.fileset.fileFilter (file: file.hasExt "md") ../../docs)
    ];
  };
in
runCommand "choiros-services-test"
  {
    REQUIRE_POSTGRES = true;
    nativeBuildInputs = [
      cargo-nextest
      pebble
      postgresql
      prometheus.cli
    ];
  }
  ''
    workspace=$(cat ${tests}/workspace)
    mkdir -p "$workspace"
    cp -r --no-preserve=mode ${source}/. "$workspace/.."
    cp -r --no-preserve=mode ${tests.src}/. "$workspace"
    cd "$workspace"
    cargo-nextest nextest run --archive-file ${tests}/tests.tar.zst --extract-to . --workspace-remap . \
      --show-progress none --no-fail-fast -E 'not binary(/browser/)'
    touch $out
  ''
