# The same with Caddy.
{ lib, ... }:
{
  imports = [ ./plain.nix ];
  services.choiros.ingress = {
    internalCa = lib.mkForce false;
    # without an address, Caddy may take a minute longer for its second certificate
    email = "ops@choir.test";
    # the file below is there on the host alone
    checkConfig = false;
  };
  services.caddy = {
    acmeCA = "https://acme.test/dir";
    globalConfig = "acme_ca_root /etc/acme/ca.pem";
  };
}
