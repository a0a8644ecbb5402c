# A server as profiles for servers set one up (srvos and its like): systemd everywhere, nothing mutable, keys only.
{
  imports = [ ./choiros.nix ];
  networking = {
    hostName = "server";
    useNetworkd = true;
    useDHCP = false;
    firewall.allowPing = true;
    firewall.logRefusedConnections = false;
  };
  systemd.network = {
    enable = true;
    wait-online.enable = false;
    networks."10-uplink" = {
      matchConfig.Type = "ether";
      networkConfig = {
        DHCP = "yes";
        IPv6PrivacyExtensions = "no";
      };
    };
  };
  services.openssh = {
    enable = true;
    settings = {
      X11Forwarding = false;
      KbdInteractiveAuthentication = false;
      PasswordAuthentication = false;
      UseDns = false;
    };
  };
  services.resolved.enable = true;
  users.mutableUsers = false;
  users.users.ops = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA operator" ];
  };
  security.sudo.wheelNeedsPassword = false;
  boot.initrd.systemd.enable = true;
  boot.tmp.cleanOnBoot = true;
  documentation.enable = false;
  environment.defaultPackages = [ ];
  nix.settings = {
    experimental-features = [
      "nix-command"
      "flakes"
    ];
    trusted-users = [ "@wheel" ];
  };
  time.timeZone = "UTC";
}
