# The sandboxes' network is 10.233.0.0/16. A host that has it otherwise would lose its own way, or they theirs.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  hardening = import ../hardening.nix;
  networks = import ../networks.nix { inherit lib; };
  network = "10.233.0.0/16";
  interfaces = lib.attrsToList config.networking.interfaces;
  files = lib.attrsToList (lib.filterAttrs (_: n: n.enable or true) config.systemd.network.networks);
  wireguard = lib.attrsToList (config.networking.wireguard.interfaces or { });
  wgQuick = lib.attrsToList (config.networking.wg-quick.interfaces or { });
  docker = config.virtualisation.docker.daemon.settings or { };
  strings = values: lib.filter lib.isString (lib.flatten values);
  at =
    where:
    map (text: {
      inherit where text;
    });

  used =
    lib.concatMap (
      i:
      at "networking.interfaces.${i.name}.ipv4" (
        map (a: "${a.address}/${toString a.prefixLength}") (i.value.ipv4.addresses ++ i.value.ipv4.routes)
        ++ map (a: a.address) i.value.ipv4.addresses
      )
    ) interfaces
    ++ at "networking.defaultGateway" (
      lib.optional (config.networking.defaultGateway != null) config.networking.defaultGateway.address
    )
    ++ at "networking.nameservers" config.networking.nameservers
    ++ lib.concatMap (
      n:
      at "systemd.network.networks.${n.name}" (strings [
        (n.value.address or [ ])
        (n.value.gateway or [ ])
        (n.value.dns or [ ])
        (map (a: a.Address or a.addressConfig.Address or null) (n.value.addresses or [ ]))
        (map (r: [
          (r.Destination or r.routeConfig.Destination or null)
          (r.Gateway or r.routeConfig.Gateway or null)
        ]) (n.value.routes or [ ]))
        (map (key: (n.value.networkConfig or { }).${key} or null) [
          "Address"
          "Gateway"
          "DNS"
        ])
      ])
    ) files
    ++ lib.concatMap (
      i:
      at "networking.wireguard.interfaces.${i.name}" (
        (i.value.ips or [ ]) ++ lib.concatMap (p: p.allowedIPs or [ ]) (i.value.peers or [ ])
      )
    ) wireguard
    ++ lib.concatMap (
      i:
      at "networking.wg-quick.interfaces.${i.name}" (
        (i.value.address or [ ]) ++ lib.concatMap (p: p.allowedIPs or [ ]) (i.value.peers or [ ])
      )
    ) wgQuick
    ++ lib.concatMap (
      c:
      at "containers.${c.name}" (strings [
        c.value.hostAddress
        c.value.localAddress
      ])
    ) (lib.filter (c: !lib.any (s: s.name == c.name) cfg.sandboxes) (lib.attrsToList config.containers))
    ++ at "virtualisation.docker.daemon.settings" (strings [
      (docker.bip or null)
      (docker.fixed-cidr or null)
      (map (p: p.base or null) (docker.default-address-pools or [ ]))
    ]);

  # a wider network than ours is no more than a way that leads elsewhere, such as 10.0.0.0/8 by a router
  inside =
    u:
    let
      n = networks.v4 u.text;
    in
    n != null && n.prefix >= 16 && networks.overlap n (networks.v4 network);
  taken = lib.filter inside used;

  # what only the running host knows: an address by DHCP, a route by a VPN
  check = pkgs.writeShellApplication {
    name = "choiros-addresses";
    runtimeInputs = [
      pkgs.gnugrep
      pkgs.iproute2
    ];
    text = ''
      routes=$(ip -4 -o route show table all root ${network})
      taken=$(grep -v ' dev ve-' <<< "$routes" || true)
      if [ -n "$taken" ]; then
        echo "the sandboxes' network ${network} is in use on this host, so no sandbox is started: give the host, its VPN or its VPC another network. What uses it:" >&2
        echo "$taken" >&2
        exit 1
      fi
    '';
  };
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = taken == [ ];
        message = "${(lib.head taken).where}: ${(lib.head taken).text} lies in ${network}, which is the sandboxes' network. Use another network there.";
      }
    ];

    systemd.services =
      lib.genAttrs (map (s: "container@${s.name}") cfg.sandboxes) (_: {
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
