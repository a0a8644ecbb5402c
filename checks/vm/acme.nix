# nixpkgs' ACME server on a machine of its own, and the names by which it finds the host.
inputs: {
  acme =
    { nodes, ... }:
    {
      imports = [ (inputs.nixpkgs + "/nixos/tests/common/acme/server") ];
      networking.hosts.${nodes.machine.networking.primaryIPAddress} = [
        "choir.test"
        "www.choir.test"
        "site.choir.test"
        "sandbox.choir.test"
        "sandbox-dev.choir.test"
        "eve.choir.test"
      ];
    };
  machine =
    { nodes, ... }:
    {
      environment.etc."acme/ca.pem".source = nodes.acme.test-support.acme.caCert;
    };
  client.imports = [ ./client.nix ];
}
