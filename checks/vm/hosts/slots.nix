# A host with slots, more than anyone will use here.
{
  imports = [ ./plain.nix ];
  services.choiros = {
    slots = 1000;
    registration = "invite";
  };
}
