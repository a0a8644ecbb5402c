# The gateway believes whoever asks on this host, so that no token is needed, or given to another program.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
in
{
  config = lib.mkIf (cfg.enable && cfg.monitoring.enable) {
    services.prometheus = {
      enable = true;
      # nothing of it is for the network, and 9090 is the gateway's
      listenAddress = lib.mkDefault "127.0.0.1";
      port = lib.mkDefault 9091;
      scrapeConfigs = [
        {
          job_name = "choiros";
          static_configs = [ { targets = [ cfg.settings.server.listen ]; } ];
        }
      ];
      ruleFiles = [ ./rules.yml ];
    };
  };
}
