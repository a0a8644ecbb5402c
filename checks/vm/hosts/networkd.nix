# A host whose network systemd-networkd has, with a file that takes every link of Ethernet's kind.
{
  imports = [ ./plain.nix ];
  networking = {
    useNetworkd = true;
    useDHCP = false;
  };
  systemd.network = {
    enable = true;
    networks."20-any" = {
      matchConfig.Type = "ether";
      networkConfig.DHCP = "yes";
    };
    # nobody answers DHCP where tests run
    wait-online.enable = false;
  };
}
