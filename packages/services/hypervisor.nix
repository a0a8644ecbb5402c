{
  lib,
  stdenv,
  rustPlatform,
  installShellFiles,
  versionCheckHook,
}:
let
  workspace = import ./workspace.nix { inherit lib; };
in
rustPlatform.buildRustPackage {
  pname = "hypervisor";
  inherit (workspace) version cargoLock;
  src = workspace.programSource [
    "hypervisor"
    "volumes"
  ];
  postPatch = workspace.stubs;
  cargoBuildFlags = [ "--package=hypervisor" ];
  # the tests are a check of their own
  doCheck = false;

  nativeBuildInputs = [ installShellFiles ];
  # the program makes them itself, so it has to run where it is built
  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    hypervisor=$out/bin/hypervisor
    $hypervisor man --out man
    installManPage man/*
    installShellCompletion --cmd hypervisor \
      --bash <($hypervisor completions bash) \
      --fish <($hypervisor completions fish) \
      --zsh <($hypervisor completions zsh)
  '';
  nativeInstallCheckInputs = [ versionCheckHook ];
  doInstallCheck = true;

  meta = workspace.meta // {
    description = "Passkey gateway in front of sandboxes that can be replaced while they serve";
    mainProgram = "hypervisor";
  };
}
