# The sandboxes' network on this host: what keeps its hands off the host's ends of their wires, and that nobody else has
# these addresses.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  hardening = import ./lib/hardening.nix;

  inherit (cfg) network;
  taken = import ./lib/taken-networks.nix {
    inherit lib config network;
    ours = map (s: s.name) cfg.containers;
  };

  # what only the running host knows: an address by DHCP, a route by a VPN
  check = pkgs.writeShellApplication {
    name = "choiros-addresses";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.gnugrep
      pkgs.iproute2
    ];
    text = ''
      within=$(ip -4 -o route show table all root ${network})
      # networks at the host's own links that it is within; a wider one than these is no more than a way that leads elsewhere
      around=$(ip -4 -o route show table all match ${network} scope link | grep -E '^[0-9.]+/(1[6-9]|2[0-9]) ' || true)
      taken=$(printf '%s\n' "$within" "$around" | grep -vE '^$| dev ve-' | sort -u || true)
      if [ -n "$taken" ]; then
        echo "the sandboxes' network ${network} is in use on this host, so no sandbox is started: set services.choiros.network to a free one, or give the host, its VPN or its VPC another. What uses it:" >&2
        echo "$taken" >&2
        exit 1
      fi
    '';
  };

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
    assertions = [
      {
        assertion = taken == [ ];
        message = "${(lib.head taken).where}: ${(lib.head taken).text} overlaps ${network}, which is the sandboxes' network. Use another network there, or set services.choiros.network to one that is free.";
      }
      {
        assertion = config.systemd.network.enable -> before == [ ];
        message = "systemd.network.networks.\"${lib.head before}\" is read before our \"${file}\" and could take over the sandboxes' links, whose addresses would vanish. Give it a later name, such as \"10-${lib.head before}\", or match a link by its name.";
      }
    ];

    # The host's ends have the addresses that the sandboxes' units give them. Whatever configures the host's network would
    # take them over by their kind, and drop these addresses and routes.
    systemd.network.networks.${file} = {
      matchConfig.Name = toString links;
      linkConfig.Unmanaged = true;
    };
    networking.networkmanager.unmanaged = map (link: "interface-name:${link}") links;
    networking.dhcpcd.denyInterfaces = links;

    systemd.services =
      lib.genAttrs (map (s: "container@${s.name}") cfg.containers) (_: {
        requires = [ "choiros-addresses.service" ];
        after = [ "choiros-addresses.service" ];
      })
      // {
        choiros-addresses = {
          description = "Is the sandboxes' network free";
          # it starts as often as a sandbox does, and one that crashes starts often
          startLimitIntervalSec = 0;
          # once the host has its addresses, as Caddy waits for them too
          wants = [ "network-online.target" ];
          after = [ "network-online.target" ];
          serviceConfig = hardening // {
            Type = "oneshot";
            ExecStart = lib.getExe check;
            DynamicUser = true;
            RestrictAddressFamilies = [ "AF_NETLINK" ];
            # `ip` lays down what it hasn't got, and ends without a word where it may not
            SystemCallFilter = hardening.SystemCallFilter ++ [ "capset" ];
            IPAddressDeny = "any";
          };
        };
      };
  };
}
