# This flake's packages for a kind of machine, or what to do where it has none.
self: system:
self.packages.${system}
  or (throw "choiros-host has packages for ${builtins.concatStringsSep " and " (builtins.attrNames self.packages)}, and this host is ${system}. Set services.choiros.package and services.choiros.sandboxPackage to builds of your own, which `cargo build --release` in services/ makes on any Linux.")
