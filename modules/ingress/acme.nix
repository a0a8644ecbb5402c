# A certificate of security.acme: the gateway's for all its names, or the one for all sandboxes' hosts by a DNS challenge,
# whichever ends TLS. A reload takes up what comes of it; NixOS puts one of its own making there until the first comes.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (cfg) ingress;
  inherit (import ./certificates.nix { inherit config; }) source;
  byDns = source == "dns-challenge";
  wildcard = "*.${cfg.sandboxDomain}";
  server = if ingress.kind == "caddy" then "caddy" else "choiros-hypervisor";
  made = "acme-${cfg.domain}.service";
in
{
  config = lib.mkIf (cfg.enable && (byDns || source == "http-challenge")) {
    security.acme.certs.${cfg.domain} = {
      email = lib.mkIf (ingress.email != null) ingress.email;
      group = "choiros-certificate";
      reloadServices = [ "${server}.service" ];
      # whoever sets another way here sets these, too; what security.acme.defaults says is for others, but for the
      # provider of DNS
      webroot = lib.mkDefault (if byDns then null else "/var/lib/acme/acme-challenge");
      dnsProvider = lib.mkIf (!byDns) (lib.mkDefault null);
    }
    // (
      if ingress.kind == "caddy" then
        # Caddy has its own for the other names
        { domain = wildcard; }
      else
        { extraDomainNames = cfg.redirectDomains ++ lib.optional byDns wildcard; }
    );
    systemd.services.${server} = {
      wants = [ made ];
      after = [ made ];
      # the hypervisor answers the authority's questions on port 80 itself
      before = lib.mkIf (!byDns) [ "acme-order-renew-${cfg.domain}.service" ];
    };
    assertions = [
      {
        assertion = byDns -> config.security.acme.certs.${cfg.domain}.dnsProvider != null;
        message = "services.choiros.ingress.certificates = \"wildcard\" asks for a DNS challenge, and nothing says who serves the DNS of ${cfg.sandboxDomain}. Set security.acme.certs.\"${cfg.domain}\".dnsProvider, and environmentFile or credentialFiles with the provider's token; or set certificates to \"by-name\".";
      }
    ];
  };
}
