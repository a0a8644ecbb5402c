# The host that the VM tests are about.
{ pkgs, ... }:
{
  services.choiros = {
    enable = true;
    domain = "choir.test";
    redirectDomains = [ "www.choir.test" ];
    ingress.internalCa = true;
    # isn't there until a test makes it
    metricsTokenFile = "/run/secrets/metrics-token";
  };
  environment.systemPackages = [
    pkgs.curl
    pkgs.jq
    pkgs.python3
    pkgs.sqlite
  ];
}
