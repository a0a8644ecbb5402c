# The programs of the Cargo workspace, and what CI asks of its code.
{ callPackage }:
rec {
  hypervisor = callPackage ./hypervisor.nix { };
  sandbox = callPackage ./sandbox.nix { };
  tests = callPackage ./tests.nix { };
  checks = {
    services-lint = callPackage ./lint.nix { };
    services-test = callPackage ./test.nix { inherit tests; };
  };
}
