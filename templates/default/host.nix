{
  services.choiros = {
    enable = true;
    domain = "choir.example.org"; # yours; its DNS, and that of *.choir.example.org, leads here
    firewall.operatorCidrs = [ "198.51.100.7/32" ]; # where you come from
  };
  services.openssh.enable = true;
  users.users.root.openssh.authorizedKeys.keys = [ ]; # your key

  # the machine itself: keep what its installation wrote here
  nixpkgs.hostPlatform = "x86_64-linux";
  system.stateVersion = "26.05";
  boot.loader.grub.device = "/dev/vda";
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
}
