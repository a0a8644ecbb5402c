# The host's ends of the sandboxes' wires have the addresses that their units give them. Whatever configures the
# host's network would take them over by their kind, and drop these addresses and routes.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  # those of slots by patterns, since they may be thousands: digits, and no other name that begins with an s
  numbers = lib.genList (n: "[1-9]" + lib.strings.replicate n "[0-9]") 4;
  links =
    map (s: s.interface) cfg.sandboxes
    ++ lib.optionals (cfg.slots > 0) (
      lib.concatMap (n: [
        "ve-s${n}-live"
        "ve-s${n}-dev"
      ]) numbers
    );
  file = "00-choiros";
  # systemd-networkd takes the first file, by name, that matches a link
  namesOne =
    network:
    let
      match = network.matchConfig or { };
      names = lib.toList (match.Name or [ ]);
    in
    !(network.enable or true)
    || match ? MACAddress
    || match ? PermanentMACAddress
    || (names != [ ] && !lib.any (lib.hasInfix "*") names && !lib.any (lib.hasPrefix "!") names);
  before = lib.filter (name: name < file && !namesOne config.systemd.network.networks.${name}) (
    lib.attrNames config.systemd.network.networks
  );
in
{
  config = lib.mkIf cfg.enable {
    systemd.network.networks.${file} = {
      matchConfig.Name = toString links;
      linkConfig.Unmanaged = true;
    };
    networking.networkmanager.unmanaged = map (link: "interface-name:${link}") links;
    networking.dhcpcd.denyInterfaces = links;

    assertions = [
      {
        assertion = config.systemd.network.enable -> before == [ ];
        message = "systemd.network.networks.\"${lib.head before}\" is read before our \"${file}\" and could take over the sandboxes' links, whose addresses would vanish. Give it a later name, such as \"10-${lib.head before}\", or match a link by its name.";
      }
    ];
  };
}
