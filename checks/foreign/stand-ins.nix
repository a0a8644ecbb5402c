# Options that a case sets, where the evaluator at hand doesn't declare them. NixOS has all but the last two, which
# the modules of impermanence and preservation bring.
{ lib, modulesPath, ... }:
let
  loose = lib.mkOption {
    type = lib.types.attrsOf lib.types.anything;
    default = { };
  };
  isNixos = builtins.pathExists (modulesPath + "/services/web-servers/nginx");
in
{
  options =
    lib.optionalAttrs (!isNixos) {
      networking.wg-quick = loose;
      services =
        lib.genAttrs [
          "cockpit"
          "darkhttpd"
          "haproxy"
          "httpd"
          "nginx"
          "traefik"
        ] (_: loose)
        // {
          prometheus = {
            enable = lib.mkEnableOption "Prometheus";
            port = lib.mkOption {
              type = lib.types.port;
              default = 9090;
            };
            listenAddress = lib.mkOption {
              type = lib.types.str;
              default = "0.0.0.0";
            };
            scrapeConfigs = lib.mkOption {
              type = lib.types.listOf lib.types.attrs;
              default = [ ];
            };
            ruleFiles = lib.mkOption {
              type = lib.types.listOf lib.types.path;
              default = [ ];
            };
          };
          grafana = {
            enable = lib.mkEnableOption "Grafana";
            provision = loose;
            settings = loose;
          };
        };
    }
    // {
      environment.persistence = loose;
      preservation = loose;
    };
}
