# Where the certificates come from, and the files that they are in where others than who made them read those.
{ config }:
let
  cfg = config.services.choiros;
  inherit (cfg.ingress) certificate internalCa kind;
  own = cfg.origins == "own";
  source =
    if certificate != null then
      "files"
    else if internalCa then
      "internal-ca"
    else if own && cfg.ingress.certificates == "wildcard" then
      "dns-challenge"
    else if !own && kind == "gateway" then
      "http-challenge"
    else
      # by who ends TLS, a name at a time
      "ingress";
  acme = config.security.acme.certs.${cfg.domain}.directory;
in
{
  inherit source;
  files =
    if source == "files" then
      { inherit (certificate) cert key; }
    else if source == "dns-challenge" || source == "http-challenge" then
      {
        cert = "${acme}/fullchain.pem";
        key = "${acme}/key.pem";
      }
    else if source == "internal-ca" && kind == "gateway" then
      {
        cert = "/var/lib/choiros/certificate/cert.pem";
        key = "/var/lib/choiros/certificate/key.pem";
      }
    else
      null;
}
