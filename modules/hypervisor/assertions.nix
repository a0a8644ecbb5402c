{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (config) services;
  networks = import ../lib/networks.nix { inherit lib; };
  inherit (cfg.settings.server) listen;
  parts = builtins.match "(.*):([1-9][0-9]{0,4})" listen;
  address = lib.head parts;
  port = lib.toInt (lib.last parts);
  v4 = networks.v4 address;
  isLoopback = address == "[::1]" || (v4 != null && networks.overlap v4 (networks.v4 "127.0.0.0/8"));

  # others that want a port of the host, and by which setting
  ssh = import ../lib/ssh.nix { inherit lib config; };
  usual = [
    {
      name = "services.choiros.ingress";
      ports = [
        80
        443
      ];
    }
    {
      name = "services.openssh.ports";
      inherit (ssh) ports;
    }
  ]
  ++
    map
      (name: {
        name = "services.${name}.port";
        ports = lib.optional (services.${name}.enable or false) (services.${name}.port or null);
      })
      [
        "prometheus"
        "cockpit"
      ];
  colliding = lib.filter (other: lib.elem port other.ports) usual;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = parts != null && isLoopback;
        message = "services.choiros.settings.server.listen: ${listen} is no loopback address with a port, and would be reached without TLS, or not at all. Use one such as \"127.0.0.1:9090\".";
      }
      {
        assertion = parts != null -> port <= 65535 && colliding == [ ];
        message = "services.choiros.settings.server.listen: port ${toString port} is taken by ${
          (lib.head (colliding ++ [ { name = "nothing, since there are 65535 at most"; } ])).name
        }. Use another, such as \"127.0.0.1:9191\".";
      }
    ];
  };
}
