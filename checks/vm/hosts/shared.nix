# The host that the VM tests are about, with one name, and its own pages out of the sandboxes' way.
{
  imports = [ ./plain.nix ];
  services.choiros = {
    origins = "shared";
    gatewayPrefix = "/.choiros";
  };
}
