# The host that the VM tests are about, without Caddy.
let
  # where an ACME client would put what the authority asks for; none runs here
  webroot = "/var/lib/challenges";
in
{
  imports = [ ./plain.nix ];
  services.choiros = {
    ingress.kind = "gateway";
    settings.tls.acme_webroot = webroot;
  };
  systemd.tmpfiles.settings.challenges.${webroot}.d.mode = "0755";
}
