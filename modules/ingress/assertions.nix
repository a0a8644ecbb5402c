# What holds for whoever ends TLS.
{
  lib,
  config,
  options,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (cfg.ingress) kind;
  inherit (config.services) caddy;
  sites = lib.attrNames caddy.virtualHosts;
  choirosTypes = import ../lib/types.nix { inherit lib; };
  # an authority of the operator's own vouches for what it likes
  authority = if kind == "caddy" then caddy.acmeCA else config.security.acme.defaults.server or null;
  isPublic = authority == null || lib.hasInfix ".letsencrypt.org/" authority;
  named =
    option:
    map (domain: {
      inherit option domain;
    });
  uncertified = lib.filter (n: !lib.hasInfix "." n.domain || choirosTypes.isReserved n.domain) (
    named "domain" [ cfg.domain ]
    ++ named "redirectDomains" cfg.redirectDomains
    ++ named "sandboxDomain" (lib.optional (cfg.origins == "own") cfg.sandboxDomain)
  );
  portTakers = import ../lib/ingress-ports.nix { inherit lib config; };
  isSet = import ../lib/is-set.nix { inherit lib; };
  caddys = lib.filter (name: isSet options.services.choiros.ingress.${name}) [
    "checkConfig"
    "serverOptions"
    "streamCloseDelay"
  ];
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion =
          cfg.ingress.internalCa || cfg.ingress.certificate != null || !isPublic || uncertified == [ ];
        message = "services.choiros.${(lib.head uncertified).option}: no certificate authority vouches for ${(lib.head uncertified).domain}, a name of private networks or without a dot. Use a domain of yours, or set services.choiros.ingress.internalCa = true.";
      }
      {
        assertion = portTakers == [ ];
        message = "${lib.head (portTakers ++ [ "" ])} takes port 80 or 443, which ${
          if kind == "caddy" then
            "Caddy serves ${cfg.domain} on. Let it listen elsewhere, such as on 127.0.0.1:8080, and"
          else
            "the hypervisor serves ${cfg.domain} on. Give it other ports; for sites beside ${cfg.domain} set services.choiros.ingress.kind = \"caddy\", and"
        } lead to it by services.caddy.virtualHosts.\"its.example.org\".extraConfig = \"reverse_proxy 127.0.0.1:8080\".";
      }
      {
        assertion = kind == "caddy" || caddy.enable || sites == [ ];
        message = "services.caddy.virtualHosts.\"${lib.head (sites ++ [ "" ])}\" would be served by nobody: with services.choiros.ingress.kind = \"gateway\" there is no Caddy. Remove the site, or set the kind to \"caddy\".";
      }
      {
        assertion = kind == "caddy" || caddys == [ ];
        message = "services.choiros.ingress.${lib.head (caddys ++ [ "" ])} is about Caddy, which isn't there with services.choiros.ingress.kind = \"gateway\". Remove one of the two.";
      }
    ];
  };
}
