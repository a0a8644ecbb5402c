{
  on,
  with',
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
  "sandboxes are kept apart, and from the host" = {
    config = on { };
    expect = c: [
      {
        name = "apart";
        ok = says (table c) ''iifname \{ "ve-sandbox-live", "ve-sandbox-dev" } oifname \{ "ve-sandbox-live", "ve-sandbox-dev" } drop'';
      }
      {
        name = "true addresses";
        ok = says (table c) ''iifname "ve-sandbox-dev" ip saddr != 10.233.2.2 drop'';
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
      says (table c) ''iifname "ve-sandbox-live" ip daddr != \{ 0.0.0.0/8, 10.0.0.0/8,''
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
      says (table c) ''iifname "ve-notes-dev" ip daddr \{ 198.51.100.0/24 } accept''
      && !says (table c) ''iifname "ve-sandbox-dev" ip daddr'';
  };
}
