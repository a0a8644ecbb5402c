# The hypervisor's certificate by ACME: it answers the authority's questions on port 80 itself, and takes up what comes of
# it by a reload. NixOS puts a certificate of its own making there until the first one comes.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (cfg) ingress;
  made = "acme-${cfg.domain}.service";
in
{
  config =
    lib.mkIf
      (cfg.enable && ingress.kind == "gateway" && ingress.certificate == null && !ingress.internalCa)
      {
        security.acme.certs.${cfg.domain} = {
          extraDomainNames = cfg.redirectDomains;
          email = lib.mkIf (ingress.email != null) ingress.email;
          group = "choiros-certificate";
          reloadServices = [ "hypervisor.service" ];
          # whoever sets another way here sets these, too; what security.acme.defaults says is for others
          webroot = lib.mkDefault "/var/lib/acme/acme-challenge";
          dnsProvider = lib.mkDefault null;
        };
        systemd.services.hypervisor = {
          wants = [ made ];
          after = [ made ];
          before = [ "acme-order-renew-${cfg.domain}.service" ];
        };
      };
}
