{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (config.services) prometheus;
  gateway = lib.last (lib.splitString ":" cfg.settings.server.listen);
in
{
  config = lib.mkIf (cfg.enable && cfg.monitoring.enable) {
    assertions = [
      {
        assertion = toString prometheus.port != gateway;
        message = "services.prometheus.port: ${gateway} is the gateway's own port on this host. Give another, such as 9091.";
      }
    ];
  };
}
