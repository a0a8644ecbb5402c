{ lib, config, ... }:
let
  cfg = config.services.choiros;
  ssh = config.services.openssh;
  toWorld =
    ssh.openFirewall || lib.any (p: lib.elem p config.networking.firewall.allowedTCPPorts) ssh.ports;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = config.networking.firewall.enable;
        message = "networking.firewall.enable is off, and every port of the host open. Leave it on: services.choiros opens what it needs.";
      }
      {
        assertion = config.networking.nftables.enable;
        message = "networking.nftables.enable is off, but the rules that keep sandboxes apart are nftables rules. Leave it on.";
      }
      {
        assertion = ssh.enable -> cfg.firewall.operatorCidrs != [ ] || !toWorld;
        message = "services.choiros.firewall.operatorCidrs is empty, and SSH is open to the world. List the networks that you come from, such as [ \"198.51.100.7/32\" ], or set services.openssh.openFirewall = false if there is another way in.";
      }
      {
        assertion = ssh.enable -> cfg.firewall.operatorCidrs == [ ] || !toWorld;
        message = "services.choiros.firewall.operatorCidrs has no effect, because services.openssh.openFirewall or networking.firewall.allowedTCPPorts opens SSH to the world. Remove that setting.";
      }
    ];
  };
}
