# Tables of their own, whose drops hold whatever the host's other rules accept: a sandbox answers the gateway,
# speaks with no other sandbox, and opens connections only where its workspace's `egress` says.
{ lib, config, ... }:
let
  inherit (import ../lib/plan.nix { inherit lib; }) ids;
  cfg = config.services.choiros;
  files = cfg.slotFiles;
  set = xs: "{ ${lib.concatStringsSep ", " xs} }";
  # who may speak with whom outside, all of a kind in one rule
  ways =
    map (w: {
      links = set (map (s: ''"${s.interface}"'') (lib.filter (s: s.workspace == w.name) cfg.sandboxes));
      inherit (w) egress;
    }) (lib.mapAttrsToList (name: w: w // { inherit name; }) cfg.workspaces)
    ++ lib.optional (cfg.slots > 0) {
      links = "@slots";
      inherit (cfg.slot) egress;
    };
  outward = lib.filter (w: w.egress != "none" && w.egress != [ ]) ways;
  declared = lib.filter (w: w.links != "@slots") outward;
  # connections that one sandbox may have open to the outside, so that it can't fill the host's table of all
  connections = 4096;
  way =
    w:
    let
      to = "iifname ${w.links} ip daddr ${
        if w.egress == "internet" then "!= ${set (import ../lib/private-networks.nix)}" else set w.egress
      }";
    in
    [
      "${to} add @connections { iifname ct count over ${toString connections} } drop"
      "${to} accept"
    ];
in
{
  config = lib.mkIf cfg.enable {
    networking.nftables.tables.choiros = {
      family = "inet";
      content = ''
        include "${files}/inet.nft"
        # how many connections each has open; it fills by itself
        set connections {
          type ifname
          size 65535
          flags dynamic
        }
        chain spoofed {
          type filter hook prerouting priority raw; policy accept;
          iifname @links meta nfproto ipv6 drop
          iifname @links iifname . ip saddr != @addresses drop
        }
        chain input {
          type filter hook input priority filter - 5; policy accept;
          iifname @links ct state established accept
          iifname @links drop
        }
        chain forward {
          type filter hook forward priority filter - 5; policy accept;
          iifname @links oifname @links drop
          iifname @links jump egress
          oifname @links ct state established,related accept
          oifname @links drop
        }
        chain egress {
          ct state established accept
          ${lib.concatStringsSep "\n  " (lib.concatMap way outward)}
          drop
        }
        # sandboxes believe the gateway's word on who is calling, so nobody else on the host calls them
        chain output {
          type filter hook output priority filter - 5; policy accept;
          oifname @links meta nfproto ipv6 drop
          oifname @links ct state established,related accept
          oifname @links meta skuid { 0, ${toString ids.hypervisor} } accept
          oifname @links drop
        }
        chain outward {
          type nat hook postrouting priority srcnat; policy accept;
          iifname @links masquerade
        }
      '';
    };
    # On its link a sandbox says where its own address is, and asks for the host's end: with any other address it
    # could speak for others, learn what else the host is called, and fill the host's table of neighbours.
    networking.nftables.tables.choiros-arp = {
      name = "choiros";
      family = "arp";
      content = ''
        include "${files}/arp.nft"
        chain input {
          type filter hook input priority filter; policy accept;
          iifname @links iifname . arp saddr ip . arp daddr ip != @neighbours drop
        }
      '';
    };
    # let through here, and only what the table above has let through
    networking.firewall.extraForwardRules = lib.concatLines (
      map (w: "iifname ${w.links} accept") declared
      ++ lib.optional (declared != outward) ''include "${files}/forward.nft"''
    );
    boot.kernel.sysctl = lib.mkIf (outward != [ ]) {
      "net.ipv4.ip_forward" = lib.mkDefault 1;
    };
  };
}
