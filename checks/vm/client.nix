# A second machine on the wire, from which the host is what the world sees.
{ pkgs, ... }:
{
  networking.firewall.enable = false;
  environment.systemPackages = [
    pkgs.curl
    pkgs.iproute2
    pkgs.openssh
    pkgs.python3
  ];
}
