# Three machines with one domain and one store, as an example: what is the same for all of them, and who is where. Each has
# a folder here. `nix run .#deploy -- cluster-a cluster-b cluster-c` deploys them one after the other.
machine:
{ config, ... }:
let
  # yours: their addresses in a network of your own
  machines = {
    a = "10.0.0.1";
    b = "10.0.0.2";
    c = "10.0.0.3";
  };
in
{
  imports = [ ../templates/default/host.nix ];

  # where a deployment finds this one, while `services.choiros.domain` leads to all three
  networking.hostName = "choir-${machine}";
  networking.domain = "example.org";

  services.choiros = {
    # an authority that asks by HTTP or TLS may come to another machine than the one that has ordered
    ingress = {
      kind = "gateway";
      certificates = "wildcard";
    };
    # the files are an authority's of your own, for the machines alone
    cluster = {
      inherit machine;
      address = machines.${machine};
      peers = removeAttrs machines [ machine ];
      certificateFile = "/run/secrets/machine.pem";
      keyFile = "/run/secrets/machine.key";
      caFile = "/etc/choiros-machines/ca.pem";
      store = {
        url = "postgres://choiros@db.example.org/choiros";
        passwordFile = "/run/secrets/store-password";
        networks = [ "10.0.0.10/32" ];
      };
    };
  };
  security.acme = {
    acceptTerms = true;
    certs.${config.services.choiros.domain} = {
      dnsProvider = "route53";
      environmentFile = "/run/secrets/dns";
    };
  };
}
