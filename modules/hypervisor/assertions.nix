{ lib, config, ... }:
let
  cfg = config.services.choiros;
  listen = cfg.settings.server.listen;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = lib.hasPrefix "127." listen || lib.hasPrefix "[::1]:" listen;
        message = "services.choiros.settings.server.listen: ${listen} would be reached without TLS and past Caddy. Use a loopback address such as \"127.0.0.1:9090\".";
      }
      {
        assertion =
          cfg.metricsTokenFile == null || !lib.hasPrefix builtins.storeDir (toString cfg.metricsTokenFile);
        message = "services.choiros.metricsTokenFile: ${toString cfg.metricsTokenFile} lies in the Nix store, which everyone on the host can read. Give the path of a file that exists on the host only, such as config.sops.secrets.metrics-token.path, as a string.";
      }
    ];
  };
}
