{
  on,
  with',
  reckoned,
  says,
  ...
}:
let
  ssh.services.openssh.enable = true;
  operators.firewall.operatorCidrs = [
    "198.51.100.7/32"
    "2001:db8:7::/48"
  ];
  table = c: c.networking.nftables.tables.choiros.content;
  template = config: import ../../packages/security-group/template.nix { inherit config; };
  # the ports that the host's own rules open, as "PORT CIDR"
  opened =
    c:
    builtins.concatMap (port: [
      "${toString port} 0.0.0.0/0"
      "${toString port} ::/0"
    ]) c.networking.firewall.allowedTCPPorts
    ++ builtins.concatMap (
      line:
      let
        m = builtins.match "ip6? saddr ([^ ]+) tcp dport ([0-9]+) accept" line;
      in
      if m == null then [ ] else [ "${builtins.elemAt m 1} ${builtins.elemAt m 0}" ]
    ) (builtins.filter builtins.isString (builtins.split "\n" c.networking.firewall.extraInputRules));
  granted =
    c:
    map (r: "${toString r.FromPort} ${r.CidrIp or r.CidrIpv6}")
      (template c).Resources.SecurityGroup.Properties.SecurityGroupIngress;
  same = a: b: builtins.sort builtins.lessThan a == builtins.sort builtins.lessThan b;
  # where SSH is open to the world, on a host of which nothing else is said
  opened' =
    lib: more:
    let
      host = lib.recursiveUpdate {
        services.openssh = {
          enable = true;
          openFirewall = false;
          ports = [ 22 ];
          listenAddresses = [ ];
        };
        networking = {
          defaultGateway = null;
          defaultGateway6 = null;
          nat.externalInterface = null;
          firewall = {
            allowedTCPPorts = lib.optional (more.services.openssh.openFirewall or false) 22;
            allowedTCPPortRanges = [ ];
            interfaces = { };
            trustedInterfaces = [ "lo" ];
            extraInputRules = "";
          };
        };
      } more;
    in
    (import ../../modules/lib/ssh.nix {
      inherit lib;
      config = host;
    }).open;
  firewall = more: { networking.firewall = more; };
  link = name: opening: firewall { interfaces.${name} = opening; };
  rule = extraInputRules: firewall { inherit extraInputRules; };
  listening = listenAddresses: {
    services.openssh = {
      inherit listenAddresses;
      openFirewall = true;
    };
  };
  range = from: to: { allowedTCPPortRanges = [ { inherit from to; } ]; };
in
{
  "80 and 443 are open, and nothing else" = {
    config = on { };
    expect =
      c:
      c.networking.firewall.allowedTCPPorts == [
        80
        443
      ]
      && c.networking.firewall.allowedUDPPorts == [ ];
  };
  "SSH is open to the operators only" = {
    config = with' ssh operators;
    expect =
      c:
      c.networking.firewall.allowedTCPPorts == [
        80
        443
      ]
      && says c.networking.firewall.extraInputRules "ip saddr 198.51.100.7/32 tcp dport 22 accept"
      && says c.networking.firewall.extraInputRules "ip6 saddr 2001:db8:7::/48 tcp dport 22 accept";
  };
  "SSH on another port is found there" = {
    config = with' {
      services.openssh = {
        enable = true;
        ports = [ 2222 ];
      };
    } operators;
    expect =
      c: says c.networking.firewall.extraInputRules "ip saddr 198.51.100.7/32 tcp dport 2222 accept";
  };
  "SSH for the world is refused" = {
    config = with' ssh { };
    fails = "operatorCidrs is empty, and SSH is open to the world";
  };
  "SSH for the world beside SSH for operators is refused" = {
    config = with' {
      services.openssh = {
        enable = true;
        openFirewall = true;
      };
    } operators;
    fails = "operatorCidrs has no effect";
  };
  "SSH that nobody reaches is the operator's affair" = {
    config = with' {
      services.openssh = {
        enable = true;
        openFirewall = false;
      };
    } { };
    expect = c: c.networking.firewall.extraInputRules == "";
  };
  "a network that is none is refused" = {
    config = with' ssh { firewall.operatorCidrs = [ "198.51.100.7" ]; };
    fails = "IPv4 network such as";
  };
  "a host without a firewall is refused" = {
    config = with' { networking.firewall.enable = false; } { };
    fails = "every port of the host open";
  };
  "a host without nftables is refused" = {
    config = with' { networking.nftables.enable = false; } { };
    fails = "the rules that keep sandboxes apart are nftables rules";
  };
  "the AWS security group opens what the host opens" = {
    config = with' ssh operators;
    expect = c: same (granted c) (opened c) && builtins.length (granted c) == 6;
  };
  "the gateways' port is open to the other machines alone, here and in the AWS security group" = {
    config = on {
      cluster = {
        store.url = "postgres://choiros@db.example.org/choiros";
        machine = "a";
        address = "10.0.0.1";
        peers = {
          b = "10.0.0.2";
          c = "fd00::3";
        };
        certificateFile = "/run/secrets/machine.pem";
        keyFile = "/run/secrets/machine.key";
        caFile = "/etc/machines-ca.pem";
      };
    };
    expect =
      c:
      c.networking.firewall.allowedTCPPorts == [
        80
        443
      ]
      && same (granted c) (opened c)
      && same (builtins.filter (o: builtins.match "9443 .*" o != null) (opened c)) [
        "9443 10.0.0.2/32"
        "9443 fd00::3/128"
      ]
      && builtins.length (granted c) == 6;
  };
  "sandboxes are kept apart, and from the host" = {
    config = on { };
    expect = c: [
      {
        name = "apart";
        ok = says (table c) "iifname @links oifname @links drop";
      }
      {
        name = "true addresses";
        ok = says (table c) "iifname @links iifname . ip saddr != @addresses drop";
      }
      {
        name = "the sets are generated, of the declared ones and of slots";
        ok = says (table c) "^include \"${c.services.choiros.slotFiles}/inet.nft\"\n";
      }
      {
        name = "the gateway alone";
        ok = says (table c) "meta skuid \\{ 0, 2991 } accept";
      }
    ];
  };
  "sandboxes open no connections" = {
    config = on { };
    expect = c: !says (table c) "daddr" && !(c.boot.kernel.sysctl ? "net.ipv4.ip_forward");
  };
  "the internet is not the host, nor private networks, nor the metadata service" = {
    config = on { workspaces.sandbox.egress = "internet"; };
    expect =
      c:
      says (table c) ''iifname \{ "ve-sandbox-live", "ve-sandbox-dev" } ip daddr != \{ 0.0.0.0/8, 10.0.0.0/8,''
      && says (table c) "169.254.0.0/16"
      && c.boot.kernel.sysctl."net.ipv4.ip_forward" == 1;
  };
  "networks that a workspace may reach are its own" = {
    config = on {
      workspaces.notes = {
        index = 2;
        egress = [ "198.51.100.0/24" ];
      };
    };
    expect =
      c:
      says (table c) ''iifname \{ "ve-notes-live", "ve-notes-dev" } ip daddr \{ 198.51.100.0/24 } accept''
      && !says (table c) ''"ve-sandbox-dev" } ip daddr'';
  };
  "SSH for the world is found wherever it is opened" = reckoned (
    lib:
    lib.mapAttrsToList
      (name: more: {
        inherit name;
        ok = opened' lib more != [ ];
      })
      {
        port = firewall { allowedTCPPorts = [ 22 ]; };
        range = firewall (range 20 30);
        card = link "enp1s0" { allowedTCPPorts = [ 22 ]; };
        "card's range" = link "eth0" (range 1 1024);
        "the host's way" = lib.recursiveUpdate (link "uplink" { allowedTCPPorts = [ 22 ]; }) {
          networking.defaultGateway.interface = "uplink";
        };
        "rule" = rule "tcp dport 22 accept";
        "rule with a set" = rule "tcp dport { 80, 22 } accept";
        "rule by name" = rule "tcp dport ssh accept";
        "rule with a range" = rule "tcp dport 20-30 counter accept comment \"x\"";
        "rule from everywhere" = rule "ip saddr 0.0.0.0/0 tcp dport 22 accept";
        "rule from two halves" = rule "ip saddr { 0.0.0.0/1, 128.0.0.0/1 } tcp dport 22 accept";
        "rule for a card" = rule "iifname \"eth0\" tcp dport 22 accept";
        "rule but for some" = rule "ip saddr != 198.51.100.0/24 tcp dport 22 accept";
        "rule for all of TCP" = rule "meta l4proto tcp accept";
        "rule for all" = rule "accept";
        "second of two rules" = rule "tcp dport 443 accept\n  tcp dport 22 accept";
        "a cloud's private address" = listening [
          {
            addr = "172.31.4.5";
            port = null;
          }
        ];
      }
  );
  "what lets nobody in, or not the world, is the host's own affair" = reckoned (
    lib:
    lib.mapAttrsToList
      (name: more: {
        inherit name;
        ok = opened' lib more == [ ];
      })
      {
        "nothing" = { };
        "another port" = firewall { allowedTCPPorts = [ 2222 ]; };
        "another range" = firewall (range 8000 8100);
        "a VPN" = link "tailscale0" { allowedTCPPorts = [ 22 ]; };
        "another port of a card" = link "eth0" { allowedTCPPorts = [ 9100 ]; };
        "rule for another port" = rule "tcp dport 2222 accept";
        "rule for a network" = rule "ip saddr 198.51.100.0/24 tcp dport 22 accept";
        "rule for a named set" = rule "ip saddr @friends tcp dport 22 accept";
        "rule for a VPN" = rule "iifname \"tailscale0\" accept";
        "rule that drops" = rule "tcp dport 22 drop";
        "rule for UDP" = rule "udp dport 22 accept";
        "rule for what is established" = rule "ct state established accept";
        "rule for ping" = rule "icmp type echo-request accept";
        "comment" = rule "# tcp dport 22 accept";
        "no SSH" = {
          services.openssh.enable = false;
          networking.firewall.allowedTCPPorts = [ 22 ];
        };
        "loopback and VPNs" = listening [
          {
            addr = "127.0.0.1";
            port = null;
          }
          {
            addr = "100.101.102.103";
            port = 2222;
          }
          {
            addr = "[fd7a:115c:a1e0::1]";
            port = null;
          }
        ];
      }
  );
  "what is the world, and what are networks of somebody's" = reckoned (
    lib:
    let
      networks = import ../../modules/lib/networks.nix { inherit lib; };
      all =
        expected:
        map (cidrs: {
          name = toString cidrs;
          ok = networks.isWorld cidrs == expected;
        });
    in
    all true [
      [ "0.0.0.0/0" ]
      [ "198.51.100.7/0" ]
      [ "::/0" ]
      [ "2000::/3" ]
      [
        "0.0.0.0/1"
        "128.0.0.0/1"
      ]
      (map (n: "${toString (16 * n)}.0.0.0/4") (lib.range 0 15))
    ]
    ++ all false [
      [ ]
      [
        "10.0.0.0/8"
        "172.16.0.0/12"
        "192.168.0.0/16"
        "100.64.0.0/10"
        "fc00::/7"
        "fe80::/10"
      ]
      [
        "198.51.100.7/32"
        "2001:db8::/32"
      ]
      (map (n: "2001:db8:${toString n}::/48") (lib.range 1 999))
    ]
  );
  "what is a network, and what isn't" = reckoned (
    lib:
    let
      choirosTypes = import ../../modules/lib/types.nix { inherit lib; };
      all =
        expected:
        map (text: {
          name = text;
          ok = choirosTypes.cidr.check text == expected;
        });
    in
    all true [
      "198.51.100.7/32"
      "0.0.0.0/0"
      "::/0"
      "::1/128"
      "2001:DB8::/32"
      "2001:db8:1:2:3:4:5:6/128"
      "fe80::/10"
    ]
    ++ all false [
      "198.51.100.7"
      "198.51.100.256/32"
      "198.51.100.7/33"
      "198.51.100.07/32"
      "198.51.100.7/"
      "198.51.100/24"
      "2001:db8::"
      "2001:db8::/129"
      "2001:db8:::/32"
      "::1::/64"
      "12345::/16"
      "1:2:3:4:5:6:7/64"
      ":1:2:3:4:5:6:7/64"
      "1:2:3:4:5:6:7:8:9/64"
      "1:2:3:4:5:6:7:8::/64"
      "fe80::1%eth0/64"
      "g::/16"
      "::/0/0"
    ]
  );
  "SSH for the world by a range of ports is refused" = {
    config = with' {
      services.openssh = {
        enable = true;
        openFirewall = false;
      };
      networking.firewall = range 20 30;
    } operators;
    fails = "SSH is open to the world by networking.firewall.allowedTCPPorts or allowedTCPPortRanges";
  };
  "SSH by a VPN's interface is another way in" = {
    config = with' {
      services.openssh = {
        enable = true;
        openFirewall = false;
      };
      networking.firewall = {
        interfaces.tailscale0.allowedTCPPorts = [ 22 ];
        trustedInterfaces = [ "wg0" ];
      };
    } { };
    expect =
      c:
      c.networking.firewall.allowedTCPPorts == [
        80
        443
      ];
  };
  "a trusted network card is refused" = {
    config = with' { networking.firewall.trustedInterfaces = [ "enp1s0" ]; } { };
    fails = "enp1s0 looks like the way to the world, and a trusted interface reaches every port";
  };
  "SSH on a port of one address is found there" = {
    config = with' {
      services.openssh = {
        enable = true;
        listenAddresses = [
          {
            addr = "0.0.0.0";
            port = 64022;
          }
        ];
      };
    } operators;
    expect =
      c: says c.networking.firewall.extraInputRules "ip saddr 198.51.100.7/32 tcp dport 64022 accept";
  };
  "the world is no list of operators" = {
    config = with' ssh { firewall.operatorCidrs = [ "0.0.0.0/0" ]; };
    fails = "0.0.0.0/0 is the world, or much of it, and no list of operators";
  };
  "a firewall of another kind, which knows no rules of ours, is refused" = {
    config = with' { networking.firewall.backend = "firewalld"; } { };
    fails = ''networking.firewall.backend is "firewalld"'';
  };
}
