# The hypervisor as the one that ends TLS: ../hypervisor/sockets.nix has its ports.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (config.security) acme;
  inherit (import ./certificates.nix { inherit config; }) source files;
  webroot = if source == "http-challenge" then acme.certs.${cfg.domain}.webroot else null;
  # it asks the authority itself, by the host's settings for that
  order = lib.filterAttrs (_: value: value != null) {
    accept_terms = acme.acceptTerms;
    dir = "/var/lib/choiros/hypervisor/acme";
    directory = acme.defaults.server or null;
    email = if cfg.ingress.email != null then cfg.ingress.email else acme.defaults.email or null;
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.ingress.kind == "gateway") {
    services.choiros.settings.tls = lib.mapAttrsRecursive (_: lib.mkDefault) (
      {
        redirect_hosts = cfg.redirectDomains;
        hsts_secs = cfg.ingress.hstsSecs;
      }
      // (if files != null then files else { acme = order; })
      // lib.optionalAttrs (webroot != null) { acme_webroot = webroot; }
    );
    systemd.services.choiros-hypervisor.serviceConfig =
      if files != null then
        {
          # not LoadCredential=, whose copies are those of the start: a renewed certificate would need a restart
          SupplementaryGroups = [ "choiros-certificate" ];
        }
      else
        {
          # the authority is somewhere in the world, by either family; what a cloud tells its machines is not for here
          RestrictAddressFamilies = [ "AF_INET6" ];
          IPAddressDeny = [
            "169.254.169.254"
            "fd00:ec2::254"
          ];
        };
    assertions = [
      {
        assertion = source == "ingress" -> acme.acceptTerms;
        message = "services.choiros.ingress.kind = \"gateway\" has the hypervisor order certificates from ${
          acme.defaults.server or "Let's Encrypt"
        }, whose terms of service have to be accepted. Set security.acme.acceptTerms = true.";
      }
    ];
  };
}
