# The host's own ports: the web's for the world, SSH for the operators.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  choirosTypes = import ../lib/types.nix { inherit lib; };
  isWorld =
    o:
    lib.elem o.cidr [
      "0.0.0.0/0"
      "::/0"
    ];
  rule =
    o:
    "${
      if choirosTypes.isV6 o.cidr then "ip6" else "ip"
    } saddr ${o.cidr} tcp dport ${toString o.port} accept";
  split = lib.partition isWorld cfg.firewall.openings;
in
{
  config = lib.mkIf cfg.enable {
    networking.nftables.enable = lib.mkDefault true;
    networking.firewall = {
      allowedTCPPorts = lib.unique (map (o: o.port) split.right);
      extraInputRules = lib.concatMapStringsSep "\n" rule split.wrong;
    };
    # never takes SSH away from a host that names no operators: an assertion asks for them
    services.openssh.openFirewall = lib.mkIf (cfg.firewall.operatorCidrs != [ ]) (lib.mkDefault false);
  };
}
