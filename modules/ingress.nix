# The way in from the world, on ports 80 and 443: Caddy, or the hypervisor itself.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  portTakers = import ./lib/ingress-ports.nix { inherit lib config; };
in
{
  options.services.choiros.ingress = {
    kind = mkOption {
      type = types.enum [
        "caddy"
        "gateway"
      ];
      default = "caddy";
      example = "gateway";
      description = "What ends TLS on port 443, and answers on port 80. `caddy`: Caddy, in front of the hypervisor; it serves sites of yours as well (`services.caddy.virtualHosts`). `gateway`: the hypervisor itself, on sockets that systemd holds, so that a restart refuses no connection; it serves `domain`, `redirectDomains` and the sandboxes' hosts alone, and asks for `security.acme.acceptTerms = true`.";
    };

    hstsSecs = mkOption {
      type = types.ints.unsigned;
      default = 31536000;
      example = 0;
      description = "For how many seconds browsers that have been here come by TLS alone (`Strict-Transport-Security`): a year, unless you say otherwise. With 0 they aren't told to.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = portTakers == [ ];
        message = "${lib.head portTakers} takes port 80 or 443, which ${
          if cfg.ingress.kind == "caddy" then
            "Caddy serves ${cfg.domain} on. Let it listen elsewhere, such as on 127.0.0.1:8080, and"
          else
            "the hypervisor serves ${cfg.domain} on. Give it other ports; for sites beside ${cfg.domain} set services.choiros.ingress.kind = \"caddy\", and"
        } lead to it by services.caddy.virtualHosts.\"its.example.org\".extraConfig = \"reverse_proxy 127.0.0.1:8080\".";
      }
    ];
  };
}
