# The tests that want a browser, which a build has not.
{ services, ... }:
{
  nodes.machine =
    { pkgs, ... }:
    {
      imports = [ ../vm.nix ];
      virtualisation.memorySize = 4096;
      environment.systemPackages = [
        pkgs.cargo-nextest
        pkgs.chromium
      ];
      environment.etc."tests/archive".source = services.tests;
      environment.etc."tests/source".source = services.tests.src;
      users.users.tester.isNormalUser = true;
    };
}
