# A check as what a build needs of it: names and paths. Whoever evaluates all of them, as `nix flake check` does, would
# otherwise keep each machine that a test is about until the end. What a person asks for is evaluated anew:
# `nix run .#checks.<system>.vm-gateway.driverInteractive`.
name: make:
let
  bare =
    drv:
    let
      needed = {
        inherit (drv)
          type
          name
          system
          outputs
          outputName
          drvPath
          outPath
          ;
        out = {
          inherit (drv)
            type
            name
            drvPath
            outPath
            ;
          outputName = "out";
        };
      };
    in
    builtins.deepSeq needed needed;
  asked = from: name: {
    inherit (from name)
      config
      driver
      driverInteractive
      nodes
      ;
  };
in
asked make name // bare (make name)
