# Who may read the certificate's key, where that is a file which others than Caddy see.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (cfg.ingress) certificate kind internalCa;
  files = lib.optionals (certificate != null) [
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
  ) files;
in
{
  config = lib.mkIf cfg.enable {
    users.groups.choiros-certificate = lib.mkIf (kind == "gateway" || certificate != null) { };
    assertions = [
      {
        assertion = certificate == null || !internalCa;
        message = "services.choiros.ingress.certificate and internalCa both say where the certificate comes from. Remove one of them.";
      }
      {
        assertion = unseen == [ ];
        message = "services.choiros.ingress.certificate: ${lib.head (unseen ++ [ "" ])} lies where the service that ends TLS sees no file of the host's. Put it elsewhere, such as below /run/secrets or /var/lib/certificates.";
      }
    ];
  };
}
