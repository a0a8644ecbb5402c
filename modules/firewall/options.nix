{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  choirosTypes = import ../lib/types.nix { inherit lib; };
  cfg = config.services.choiros;
  opening = description: port: cidr: { inherit description port cidr; };
  world = [
    "0.0.0.0/0"
    "::/0"
  ];
  ssh = (import ../lib/ssh.nix { inherit lib config; }).ports;
in
{
  options.services.choiros.firewall = {
    operatorCidrs = mkOption {
      type = types.listOf choirosTypes.cidr;
      default = [ ];
      example = [
        "198.51.100.7/32"
        "2001:db8:7::/48"
      ];
      description = "Networks that reach SSH. The world doesn't.";
    };

    openings = mkOption {
      type = types.listOf types.raw;
      readOnly = true;
      internal = true;
      description = "Each port that is open, to whom, and why: the host's rules and the AWS security group both follow from it.";
    };
  };

  config.services.choiros.firewall.openings =
    map (opening "HTTP, which redirects to HTTPS" 80) world
    ++ map (opening "HTTPS" 443) world
    ++ lib.concatMap (port: map (opening "SSH for operators" port) cfg.firewall.operatorCidrs) ssh;
}
