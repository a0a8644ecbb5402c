{
  lib,
  config,
  options,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (config.services) caddy;
  choirosTypes = import ../types.nix { inherit lib; };
  domains = [ cfg.domain ] ++ cfg.redirectDomains;
  uncertified = lib.filter (
    domain: !lib.hasInfix "." domain || choirosTypes.isReserved domain
  ) domains;
  portTakers = import ./ports.nix { inherit lib config; };
  isSet = option: option.highestPrio < (lib.mkOptionDefault null).priority;
  foreign = import ./global.nix { inherit lib; } caddy.globalConfig;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.ingress.internalCa || uncertified == [ ];
        message = "services.choiros.${
          if lib.head uncertified == cfg.domain then "domain" else "redirectDomains"
        }: no certificate authority vouches for ${lib.head uncertified}, a name of private networks or without a dot. Use a domain of yours, or set services.choiros.ingress.internalCa = true.";
      }
      {
        assertion = caddy.enableReload;
        message = "services.caddy.enableReload is off, so each change of the configuration would cut all connections. Leave it on.";
      }
      {
        assertion = !isSet options.services.caddy.configFile && caddy.settings == { };
        message = "services.caddy.configFile or services.caddy.settings stands in for all that the host's modules say of Caddy, so ${cfg.domain} would not be served. Remove it, and write your sites as services.caddy.virtualHosts or services.caddy.extraConfig.";
      }
      {
        assertion = !caddy.resume;
        message = "services.caddy.resume makes Caddy start with what it served before, and not with what the configuration says. Remove it.";
      }
      {
        assertion =
          lib.elem caddy.httpPort [
            null
            80
          ]
          && lib.elem caddy.httpsPort [
            null
            443
          ];
        message = "services.caddy.httpPort and httpsPort: ${cfg.domain} would be served on ${toString caddy.httpPort} and ${toString caddy.httpsPort}, and people come to 80 and 443. Remove them; give a site of yours that wants another port that port in its name.";
      }
      {
        assertion = portTakers == [ ];
        message = "${
          lib.head (portTakers ++ [ "" ])
        } takes port 80 or 443, which Caddy serves ${cfg.domain} on. Let it listen elsewhere, such as on 127.0.0.1:8080, and lead to it by services.caddy.virtualHosts.\"its.example.org\".extraConfig = \"reverse_proxy 127.0.0.1:8080\".";
      }
      {
        assertion = foreign == [ ];
        message = "services.caddy.globalConfig: `${lib.head (foreign ++ [ "" ])}` there holds for all of Caddy, and would take ${cfg.domain} off its ports, its certificates or its limits, or not reach it at all. Remove it; what a site of yours needs goes into its virtualHosts entry, and options of a block `servers` into services.choiros.ingress.serverOptions.";
      }
    ];
  };
}
