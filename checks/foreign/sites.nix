# A host whose Caddy has sites of its own, and its own mind on metrics, logs and mail.
{ pkgs, ... }:
{
  imports = [ ./choiros.nix ];
  services.choiros.ingress.serverOptions = "trusted_proxies static private_ranges";
  services.caddy = {
    enable = true;
    email = "ops@example.org";
    globalConfig = "grace_period 10s";
    logFormat = ''
      level INFO
    '';
    virtualHosts = {
      "blog.example.org" = {
        serverAliases = [ "www.example.org" ];
        extraConfig = ''
          encode gzip
          root * ${pkgs.writeText "index.html" "hello"}
          file_server
        '';
      };
      # below the gateway's name, as sandboxes are
      "status.choir.example.org".extraConfig = "respond well";
      "http://intern.example.org:8081".extraConfig = "respond hello";
      # one of our own names, said more of
      "choir.example.org".extraConfig = "encode zstd gzip";
    };
    extraConfig = ''
      (common) {
        header -Server
      }
      old.example.org {
        import common
        redir https://blog.example.org{uri}
      }
    '';
  };
  services.openssh.enable = true;
}
