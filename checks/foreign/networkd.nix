# A dedicated server whose provider gives it one address, and the gateway beyond it.
{
  imports = [ ./choiros.nix ];
  networking = {
    hostName = "dedicated";
    useNetworkd = true;
    useDHCP = false;
    nameservers = [
      "185.12.64.1"
      "2a01:4ff:ff00::add:1"
    ];
  };
  systemd.network = {
    enable = true;
    networks."30-wan" = {
      matchConfig.Name = "enp1s0";
      networkConfig.DHCP = "no";
      address = [
        "203.0.113.10/32"
        "2001:db8:10::1/64"
      ];
      routes = [
        {
          Gateway = "172.31.1.1";
          GatewayOnLink = true;
        }
        { Gateway = "fe80::1"; }
      ];
    };
  };
  services.openssh.enable = true;
  services.choiros.workspaces.sandbox.egress = "internet";
}
