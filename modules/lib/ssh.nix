# Which ports SSH listens on, and which settings of the host let the world reach them.
{ lib, config }:
let
  ssh = config.services.openssh;
  fw = config.networking.firewall;
  networks = import ./networks.nix { inherit lib; };
  listening = l: if l.port != null then [ l.port ] else ssh.ports;
  ports = lib.optionals ssh.enable (
    lib.unique (
      if ssh.listenAddresses == [ ] then ssh.ports else lib.concatMap listening ssh.listenAddresses
    )
  );

  # loopback's, a VPN's: a cloud hands public packets on to 10.0.0.0/8 and the like
  isInside =
    addr:
    let
      bare = lib.toLower (lib.removePrefix "[" (lib.removeSuffix "]" addr));
      a = networks.v4 bare;
    in
    if a == null then
      bare == "localhost" || bare == "::1" || builtins.match "f[cd][0-9a-f]{2}:.*" bare != null
    else
      lib.any (cidr: networks.overlap a (networks.v4 cidr)) [
        "100.64.0.0/10"
        "127.0.0.0/8"
      ];
  listensInside =
    ssh.listenAddresses != [ ] && lib.all (l: l.addr != null && isInside l.addr) ssh.listenAddresses;

  # names that Linux and NixOS give to cards, and those that the host names as its way out; others (a VPN's,
  # a bridge's) can't be judged from here
  outside = lib.filter (name: name != null) [
    (config.networking.defaultGateway.interface or null)
    (config.networking.defaultGateway6.interface or null)
    config.networking.nat.externalInterface
  ];
  isUplink =
    name:
    lib.elem name outside
    || builtins.match "(en|eth|wl|ww|bond|venet|ib|usb)[^.:@]*[*+]?|[*+]" name != null;

  covers =
    opening:
    lib.any (
      port:
      lib.elem port (opening.allowedTCPPorts or [ ])
      || lib.any (r: r.from <= port && port <= r.to) (opening.allowedTCPPortRanges or [ ])
    ) ports;
  interfaces = lib.filterAttrs (name: opening: isUplink name && covers opening) fw.interfaces;

  # what a rule says after one of its words: a single value, or a set's
  said =
    word: rule:
    let
      found = builtins.match ".*[ \t]${word}[ \t]+([{][^}]*[}]|[^ \t]+).*" " ${rule}";
    in
    if found == null then
      null
    else
      lib.filter (w: lib.isString w && w != "") (builtins.split "[ \t,{}\"]+" (lib.last found));
  isPort =
    value: port:
    let
      range = builtins.match "([0-9]+)-([0-9]+)" value;
    in
    value == "!="
    || value == toString port
    || (value == "ssh" && port == 22)
    || (range != null && lib.toInt (lib.head range) <= port && port <= lib.toInt (lib.last range));
  # a rule that accepts SSH, or all there is, from everywhere
  opensToWorld =
    line:
    let
      rule = lib.head (lib.splitString "#" line);
      has = words: builtins.match ".*[ \t](${words})([ \t].*|)" " ${rule}" != null;
      source = said "saddr" rule;
      link = said "iif(name)?" rule;
      port = said "dport" rule;
      limited =
        (source != null && !lib.elem "!=" source && !networks.isWorld source)
        || (link != null && !lib.elem "!=" link && !lib.any isUplink link);
      # other protocols, and states or marks whose sense can't be judged from here
      other =
        if port == null then
          has "ct|mark|fib|daddr|pkttype|limit|udp|icmp|icmpv6|esp|ah|gre|vrrp|igmp"
        else
          has "udp" || !lib.any (value: lib.any (isPort value) ports) port;
    in
    has "accept" && !limited && !other;
in
{
  inherit ports;
  # the settings at fault, by name
  open = lib.optionals (ssh.enable && !listensInside) (
    lib.optional (covers fw) (
      if ssh.openFirewall then
        "services.openssh.openFirewall"
      else
        "networking.firewall.allowedTCPPorts or allowedTCPPortRanges"
    )
    ++ map (name: "networking.firewall.interfaces.${name}") (lib.attrNames interfaces)
    ++ map (rule: "networking.firewall.extraInputRules (${lib.trim rule})") (
      lib.filter opensToWorld (lib.splitString "\n" fw.extraInputRules)
    )
  );
  trusted = lib.filter isUplink fw.trustedInterfaces;
}
