# Addresses and networks that a host's configuration has in or around `network`: [ { where; text; } … ].
{
  lib,
  config,
  network,
  # containers that aren't the host's own affair
  ours,
}:
let
  networks = import ./networks.nix { inherit lib; };
  named = lib.attrsToList;
  strings = values: lib.filter lib.isString (lib.flatten values);
  at = where: values: map (text: { inherit where text; }) (strings values);
  # an address with its network: the two are looked at
  own = values: [
    values
    (map (text: lib.head (lib.splitString "/" text)) (strings [ values ]))
  ];
  docker = config.virtualisation.docker.daemon.settings or { };
  # the networks that these have unless they are told others
  usual = [
    {
      enabled = (config.virtualisation.docker.enable or false) && !(docker ? bip);
      network = "172.17.0.0/16";
      where = "virtualisation.docker.enable";
    }
    {
      enabled = config.virtualisation.podman.enable or false;
      network = "10.88.0.0/16";
      where = "virtualisation.podman.enable";
    }
    {
      enabled = config.virtualisation.libvirtd.enable or false;
      network = "192.168.122.0/24";
      where = "virtualisation.libvirtd.enable";
    }
  ];

  interface =
    i:
    let
      inherit (i.value.ipv4) addresses routes;
      cidr = a: "${a.address}/${toString a.prefixLength}";
    in
    at "networking.interfaces.${i.name}.ipv4" [
      (own (map cidr addresses))
      (map cidr routes)
    ];
  networkd =
    n:
    at "systemd.network.networks.${n.name}" [
      (own (n.value.address or [ ]))
      (n.value.gateway or [ ])
      (n.value.dns or [ ])
      (own (map (a: a.Address or a.addressConfig.Address or null) (n.value.addresses or [ ])))
      (map (r: [
        (r.Destination or r.routeConfig.Destination or null)
        (r.Gateway or r.routeConfig.Gateway or null)
      ]) (n.value.routes or [ ]))
      (own (n.value.networkConfig.Address or [ ]))
      (n.value.networkConfig.Gateway or [ ])
      (n.value.networkConfig.DNS or [ ])
    ];
  vpn =
    kind: i:
    at "networking.${kind}.interfaces.${i.name}" [
      (own (i.value.ips or [ ]))
      (own (i.value.address or [ ]))
      (map (p: p.allowedIPs or [ ]) (i.value.peers or [ ]))
    ];
  container =
    c:
    at "containers.${c.name}" [
      c.value.hostAddress
      c.value.localAddress
    ];
  used =
    lib.concatMap interface (named config.networking.interfaces)
    ++ at "networking.defaultGateway" [ (config.networking.defaultGateway.address or null) ]
    ++ at "networking.nameservers" config.networking.nameservers
    ++ lib.concatMap networkd (
      named (lib.filterAttrs (_: n: n.enable or true) config.systemd.network.networks)
    )
    ++ lib.concatMap (vpn "wireguard") (named (config.networking.wireguard.interfaces or { }))
    ++ lib.concatMap (vpn "wg-quick") (named (config.networking.wg-quick.interfaces or { }))
    ++ lib.concatMap container (named (removeAttrs config.containers ours))
    ++ at "virtualisation.docker.daemon.settings" [
      (own (docker.bip or [ ]))
      (docker.fixed-cidr or null)
      (map (p: p.base or null) (docker.default-address-pools or [ ]))
    ]
    ++ lib.concatMap (u: at u.where u.network) (lib.filter (u: u.enabled) usual);
  # a wider network than this is no more than a way that leads elsewhere, such as 10.0.0.0/8 by a router
  inside =
    u:
    let
      n = networks.v4 u.text;
      whole = networks.v4 network;
    in
    n != null && n.prefix >= 16 && networks.overlap n whole;
in
lib.filter inside used
