# Who may read a certificate's key, where that is a file; and which sources of certificates exclude each other.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (cfg.ingress) certificate internalCa;
  certificates = import ./certificates.nix { inherit config; };
  given = lib.optionals (certificate != null) [
    certificate.cert
    certificate.key
  ];
  unseen = lib.filter (
    file:
    lib.any (folder: lib.hasPrefix "${folder}/" file) [
      "/home"
      "/root"
      "/run/user"
      "/tmp"
      "/var/tmp"
    ]
  ) given;
in
{
  config = lib.mkIf cfg.enable {
    users.groups.choiros-certificate = lib.mkIf (certificates.files != null) { };
    assertions = [
      {
        assertion = certificate == null || !internalCa;
        message = "services.choiros.ingress.certificate and internalCa both say where the certificate comes from. Remove one of them.";
      }
      {
        assertion = cfg.ingress.certificates == "wildcard" -> certificates.source == "dns-challenge";
        message = "services.choiros.ingress.certificates = \"wildcard\" does nothing with ${
          if certificate != null then
            "ingress.certificate, which is the certificate"
          else if internalCa then
            "ingress.internalCa, where the host makes them"
          else
            "services.choiros.origins = \"shared\", where sandboxes have no hosts of their own"
        }. Remove one of the two.";
      }
      {
        assertion = unseen == [ ];
        message = "services.choiros.ingress.certificate: ${lib.head (unseen ++ [ "" ])} lies where the service that ends TLS sees no file of the host's. Put it elsewhere, such as below /run/secrets or /var/lib/certificates.";
      }
    ];
  };
}
