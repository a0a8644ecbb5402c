# The host that the VM tests are about, whose gateway has its certificates from an ACME server.
{ lib, ... }:
{
  imports = [ ./plain.nix ];
  services.choiros = {
    ingress = {
      kind = "gateway";
      internalCa = lib.mkForce false;
    };
    # what vouches for the server, which the test brings
    settings.tls.acme.ca_file = "/etc/acme/ca.pem";
  };
  security.acme = {
    acceptTerms = true;
    defaults.server = "https://acme.test/dir";
  };
}
