{
  lib,
  rustPlatform,
  versionCheckHook,
}:
let
  workspace = import ./workspace.nix { inherit lib; };
in
rustPlatform.buildRustPackage {
  pname = "sandbox";
  inherit (workspace) version cargoLock;
  src = workspace.programSource [ "sandbox" ];
  postPatch = workspace.stubs;
  cargoBuildFlags = [ "--package=sandbox" ];
  # the tests are a check of their own
  doCheck = false;

  nativeInstallCheckInputs = [ versionCheckHook ];
  doInstallCheck = true;

  meta = workspace.meta // {
    description = "Sandbox service: an event log of one's own";
    mainProgram = "sandbox";
  };
}
