# The Cargo workspace, with crane: its dependencies are built once, for the programs and for every check.
{
  lib,
  pkgs,
  inputs,
}:
let
  craneLib = inputs.crane.mkLib pkgs;
  # pages about the code are none of it: editing them rebuilds nothing
  src = lib.fileset.toSource {
    root = ../../services;
    fileset = lib.fileset.fileFilter (file: !file.hasExt "md") ../../services;
  };
  common = {
    inherit src;
    pname = "choiros-services";
    inherit ((lib.importTOML ../../services/Cargo.toml).workspace.package) version;
    strictDeps = true;
    cargoExtraArgs = "--locked --workspace";
    meta.license = lib.licenses.mit;
  };
  cargoArtifacts = craneLib.buildDepsOnly common;
  built = common // {
    inherit cargoArtifacts;
  };
  programs = craneLib.buildPackage (
    built
    // {
      # the tests are a check of their own
      doCheck = false;
    }
  );
  # one program, so that a machine that needs only the one has only the one
  program =
    name: description: install:
    pkgs.runCommand "${name}-${common.version}"
      {
        pname = name;
        inherit (common) version;
        nativeBuildInputs = [ pkgs.installShellFiles ];
        meta = common.meta // {
          inherit description;
          mainProgram = name;
          platforms = lib.platforms.linux;
        };
      }
      ''
        install -D ${programs}/bin/${name} $out/bin/${name}
        ${install}
      '';
  # the program makes them itself, so it has to run where it is built
  manual = lib.optionalString (pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform) ''
    hypervisor=$out/bin/hypervisor
    $hypervisor man --out man
    installManPage man/*
    installShellCompletion --cmd hypervisor \
      --bash <($hypervisor completions bash) \
      --fish <($hypervisor completions fish) \
      --zsh <($hypervisor completions zsh)
  '';
in
{
  hypervisor =
    program "hypervisor" "Passkey gateway in front of sandboxes that can be replaced while they serve"
      manual;
  sandbox = program "sandbox" "The sandbox service: an event log of one's own" "";
  # every test, built, for a machine that has a browser but no compiler
  tests = craneLib.mkCargoDerivation (
    built
    // {
      pnameSuffix = "-tests";
      nativeBuildInputs = [ pkgs.cargo-nextest ];
      doInstallCargoArtifacts = false;
      buildPhaseCargoCommand = ''
        mkdir -p $out
        cargo nextest archive --locked --workspace ''${CARGO_PROFILE:+--cargo-profile $CARGO_PROFILE} \
          --archive-file $out/tests.tar.zst
      '';
      passthru = { inherit src; };
    }
  );
  checks = import ./checks.nix {
    inherit
      pkgs
      craneLib
      built
      common
      ;
  };
}
