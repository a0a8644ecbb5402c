# A machine with the database that several gateways share.
{ pkgs, ... }:
let
  certificates = pkgs.callPackage ./certificates.nix { };
in
{
  services.postgresql = {
    enable = true;
    enableTCPIP = true;
    ensureDatabases = [ "choiros" ];
    ensureUsers = [
      {
        name = "choiros";
        ensureDBOwnership = true;
      }
    ];
    settings = {
      ssl = true;
      ssl_cert_file = "${certificates}/db.pem";
      # it takes no key that others may read, as all may what is in the store
      ssl_key_file = "/run/credentials/postgresql.service/key";
    };
    authentication = "hostssl choiros choiros samenet trust";
  };
  systemd.services.postgresql.serviceConfig.LoadCredential = "key:${certificates}/db-key.pem";
  networking.firewall.allowedTCPPorts = [ 5432 ];
}
