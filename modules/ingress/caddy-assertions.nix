# What would take the site off the host's Caddy, or Caddy off its ports.
{
  lib,
  config,
  options,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (config.services) caddy;
  isSet = import ../lib/is-set.nix { inherit lib; };
  sandboxes = map (s: s.host) (import ../lib/sandbox-hosts.nix { inherit lib; } cfg);
  named =
    names:
    lib.filter (
      site: site != "choiros-sandboxes" && lib.any (name: lib.elem name names) (namesOf site)
    ) (lib.attrNames caddy.virtualHosts);
  namesOf =
    site:
    let
      host = caddy.virtualHosts.${site};
    in
    map (lib.removePrefix "https://") ([ host.hostName ] ++ host.serverAliases);
  shadowing = named sandboxes;
  catchAll = lib.optionals (cfg.origins == "own" && certificates.files == null) (named [
    ""
    "*"
    ":443"
    "*:443"
  ]);
  certificates = import ./certificates.nix { inherit config; };
  foreign = import ./global.nix { inherit lib; } caddy.globalConfig;
in
{
  config = lib.mkIf (cfg.enable && cfg.ingress.kind == "caddy") {
    assertions = [
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
        # two sites with one name would be one
        assertion = !lib.elem cfg.domain cfg.redirectDomains;
        message = "services.choiros.redirectDomains: ${cfg.domain} would redirect to itself. Leave services.choiros.domain out of the list.";
      }
      {
        assertion = shadowing == [ ];
        message = "services.caddy.virtualHosts.\"${lib.head (shadowing ++ [ "" ])}\" has the host of a sandbox, which would never be seen. Give the site another name, or set services.choiros.sandboxDomain to another domain.";
      }
      {
        assertion = catchAll == [ ];
        message = "services.caddy.virtualHosts.\"${lib.head (catchAll ++ [ "" ])}\" is for all hosts that no other site has, as the one that gives each sandbox's host its certificate. Name its hosts, or set services.choiros.ingress.certificates = \"wildcard\".";
      }
      {
        assertion = foreign == [ ];
        message = "services.caddy.globalConfig: `${lib.head (foreign ++ [ "" ])}` there holds for all of Caddy, and would take ${cfg.domain} off its ports, its certificates or its limits, or not reach it at all. Remove it; what a site of yours needs goes into its virtualHosts entry, and options of a block `servers` into services.choiros.ingress.serverOptions.";
      }
    ];
  };
}
