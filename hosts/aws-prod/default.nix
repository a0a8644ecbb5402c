# The production machine: one EC2 instance, from an Amazon image of NixOS.
{ modulesPath, ... }:
{
  imports = [ (modulesPath + "/virtualisation/amazon-image.nix") ];

  # yours: the domain, where you come from, and the key that you come with
  services.choiros = {
    enable = true;
    domain = "os.choir-ip.com";
    redirectDomains = [ "choir-ip.com" ];
    ingress.email = "ops@choir-ip.com";
    # a network of documentation's (RFC 5737): nobody comes from there
    firewall.operatorCidrs = [ "192.0.2.0/24" ];
  };
  users.users.root.openssh.authorizedKeys.keys = [ ];

  nixpkgs.hostPlatform = "x86_64-linux";
  system.stateVersion = "26.05";
  networking.hostName = "aws-prod";

  # instance user data never rebuilds the machine: deployments come from this flake alone
  virtualisation.amazon-init.enable = false;
  # how CI's SSH gets in: by sessions of Systems Manager, with the role and the profile of access.json, and no open port
  services.amazon-ssm-agent.enable = true;

  services.openssh.settings = {
    PasswordAuthentication = false;
    KbdInteractiveAuthentication = false;
  };

  nix.settings.experimental-features = [
    "nix-command"
    "flakes"
  ];
  nix.gc = {
    automatic = true;
    dates = "weekly";
    options = "--delete-older-than 30d";
  };
  services.journald.extraConfig = "SystemMaxUse=2G";
}
