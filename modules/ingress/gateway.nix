# The hypervisor as the one that ends TLS: ../hypervisor/sockets.nix has its ports.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (cfg.ingress) certificate internalCa;
  acme = config.security.acme.certs.${cfg.domain};
  files =
    if certificate != null then
      { inherit (certificate) cert key; }
    else if internalCa then
      {
        cert = "/var/lib/choiros/certificate/cert.pem";
        key = "/var/lib/choiros/certificate/key.pem";
      }
    else
      {
        cert = "${acme.directory}/fullchain.pem";
        key = "${acme.directory}/key.pem";
      };
  webroot = if certificate != null || internalCa then null else acme.webroot;
in
{
  config = lib.mkIf (cfg.enable && cfg.ingress.kind == "gateway") {
    services.choiros.settings.tls = lib.mapAttrs (_: lib.mkDefault) (
      files
      // {
        redirect_hosts = cfg.redirectDomains;
        hsts_secs = cfg.ingress.hstsSecs;
      }
      // lib.optionalAttrs (webroot != null) { acme_webroot = webroot; }
    );
    # not LoadCredential=, whose copies are those of the start: a renewed certificate would need a restart
    systemd.services.hypervisor.serviceConfig.SupplementaryGroups = [ "choiros-certificate" ];
  };
}
