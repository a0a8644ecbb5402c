{ lib, config, ... }:
let
  cfg = config.services.choiros;
  fw = config.networking.firewall;
  networks = import ../lib/networks.nix { inherit lib; };
  ssh = import ../lib/ssh.nix { inherit lib config; };
  world = networks.isWorld cfg.firewall.operatorCidrs;
  open = lib.concatStringsSep " and " ssh.open;
in
{
  config = lib.mkIf cfg.enable {
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
  };
}
