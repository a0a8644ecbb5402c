# Who reaches the host: the web's ports are for the world, SSH is for the operators, and the gateways' own port for the
# other machines of a cluster.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  fw = config.networking.firewall;
  choirosTypes = import ./lib/types.nix { inherit lib; };
  networks = import ./lib/networks.nix { inherit lib; };
  ssh = import ./lib/ssh.nix { inherit lib config; };
  # much of it, or said in pieces
  world = networks.isWorld cfg.firewall.operatorCidrs;
  open = lib.concatStringsSep " and " ssh.open;

  opening = description: port: cidr: { inherit description port cidr; };
  rule =
    o:
    "${
      if choirosTypes.isV6 o.cidr then "ip6" else "ip"
    } saddr ${o.cidr} tcp dport ${toString o.port} accept";
  split = lib.partition (o: lib.elem o.cidr networks.world) cfg.firewall.openings;
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

  config = lib.mkMerge [
    {
      services.choiros.firewall.openings =
        map (opening "HTTP, which redirects to HTTPS" 80) networks.world
        ++ map (opening "HTTPS" 443) networks.world
        ++ lib.concatMap (port: map (opening "SSH for operators" port) cfg.firewall.operatorCidrs) ssh.ports
        ++ lib.optionals (cfg.cluster.listen != null) (
          map (address: opening "Gateways of other machines" cfg.cluster.port (networks.single address)) (
            lib.attrValues cfg.cluster.peers
          )
        );
    }
    (lib.mkIf cfg.enable {
      assertions = [
        {
          assertion = fw.enable;
          message = "networking.firewall.enable is off, and every port of the host open. Leave it on: services.choiros opens what it needs.";
        }
        {
          assertion = config.networking.nftables.enable;
          message = "networking.nftables.enable is off, but the rules that keep sandboxes apart are nftables rules. Leave it on, and write what networking.firewall.extraCommands says for iptables as networking.firewall.extraInputRules.";
        }
        {
          assertion = fw.enable && config.networking.nftables.enable -> fw.backend == "nftables";
          message = "networking.firewall.backend is \"${fw.backend}\", which doesn't know the ports and rules of services.choiros.firewall. Leave it out, or set it to \"nftables\".";
        }
        {
          assertion = ssh.trusted == [ ];
          message = "networking.firewall.trustedInterfaces: ${toString ssh.trusted} looks like the way to the world, and a trusted interface reaches every port. Remove it; if it leads to a network of yours, list that in services.choiros.firewall.operatorCidrs.";
        }
        {
          assertion = !world;
          message = "services.choiros.firewall.operatorCidrs: ${toString cfg.firewall.operatorCidrs} is the world, or much of it, and no list of operators. List the networks that you come from, such as [ \"198.51.100.7/32\" ].";
        }
        {
          assertion = cfg.firewall.operatorCidrs == [ ] -> ssh.open == [ ];
          message = "services.choiros.firewall.operatorCidrs is empty, and SSH is open to the world by ${open}. List the networks that you come from, such as [ \"198.51.100.7/32\" ], or set services.openssh.openFirewall = false if there is another way in.";
        }
        {
          assertion = cfg.firewall.operatorCidrs != [ ] && !world -> ssh.open == [ ];
          message = "services.choiros.firewall.operatorCidrs has no effect, because SSH is open to the world by ${open}. Remove that setting; a network of your own behind an interface belongs in operatorCidrs.";
        }
      ];

      networking.nftables.enable = lib.mkDefault true;
      networking.firewall = {
        allowedTCPPorts = lib.unique (map (o: o.port) split.right);
        extraInputRules = lib.concatMapStringsSep "\n" rule split.wrong;
      };
      # never takes SSH away from a host that names no operators: an assertion asks for them
      services.openssh.openFirewall = lib.mkIf (cfg.firewall.operatorCidrs != [ ]) (lib.mkDefault false);
    })
  ];
}
