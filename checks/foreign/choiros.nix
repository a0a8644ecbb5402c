# What each of these hosts adds for us: the README's ten lines.
{
  services.choiros = {
    enable = true;
    domain = "choir.example.org";
    firewall.operatorCidrs = [ "198.51.100.7/32" ];
  };
}
