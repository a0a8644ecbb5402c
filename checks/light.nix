# A VM test as what a build needs of it: names and paths. Whoever evaluates all of them, as `nix flake check` does, would
# otherwise keep each machine that a test is about until the end; and whoever lists them, as `nix flake show` does, would
# evaluate them all. What a person asks for is evaluated anew: `nix run .#checks.<system>.vm-gateway.driverInteractive`.
system: name: make:
let
  strict =
    drv:
    let
      paths = {
        inherit (drv)
          name
          outputs
          outputName
          drvPath
          outPath
          ;
      };
    in
    builtins.deepSeq paths paths;
  test = strict (make name);
in
{
  type = "derivation";
  # as the test's own derivation is called, without a look at it
  name = "vm-test-run-${name}";
  inherit system;
  inherit (test)
    outputs
    outputName
    drvPath
    outPath
    ;
  out = {
    type = "derivation";
    inherit (test) name drvPath outPath;
    outputName = "out";
  };
  inherit (make name)
    config
    driver
    driverInteractive
    nodes
    ;
}
