# The host that the VM tests are about.
{
  lib,
  config,
  pkgs,
  ...
}:
{
  services.choiros = {
    enable = true;
    domain = "choir.test";
    redirectDomains = [ "www.choir.test" ];
    ingress.internalCa = true;
    # isn't there until a test makes it
    metricsTokenFile = "/run/secrets/metrics-token";
  };
  # what the host has beside us, at a name that could be a sandbox's
  services.caddy.virtualHosts = lib.mkIf (config.services.choiros.ingress.kind == "caddy") {
    "site.choir.test".extraConfig = "respond a-site-of-the-hosts-own";
  };
  environment.systemPackages = [
    pkgs.curl
    pkgs.jq
    pkgs.python3
    pkgs.sqlite
  ];
}
