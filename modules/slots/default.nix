# Slots: pairs of sandboxes that a host has ready for the workspaces of people to come. All of them share one closure,
# one text of each unit, and one set of each kind in the firewall; nothing here grows with their number but files that
# one small program writes.
{
  imports = [
    ./options.nix
    ./assertions.nix
    ./containers.nix
    ./files.nix
    ./service.nix
  ];
}
