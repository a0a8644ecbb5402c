# Tables of their own, whose drops hold whatever the host's other rules accept: a sandbox answers the gateway,
# speaks with no other sandbox, and opens connections only where its workspace's `egress` says.
{ lib, config, ... }:
let
  ids = import ../ids.nix;
  cfg = config.services.choiros;
  set = xs: "{ ${lib.concatStringsSep ", " xs} }";
  each = f: set (map f cfg.sandboxes);
  links = each (s: ''"${s.interface}"'');
  outward = lib.filter (s: cfg.workspaces.${s.workspace}.egress != "none") cfg.sandboxes;
  # connections that one sandbox may have open to the outside, so that it can't fill the host's table of all
  connections = 4096;
  way =
    s:
    let
      inherit (cfg.workspaces.${s.workspace}) egress;
      to =
        if egress == "internet" then
          "ip daddr != ${set (import ./private.nix)}"
        else
          "ip daddr ${set egress}";
    in
    lib.optionals (egress != [ ]) [
      ''iifname "${s.interface}" ct count over ${toString connections} drop''
      ''iifname "${s.interface}" ${to} accept''
    ];
in
{
  config = lib.mkIf cfg.enable {
    networking.nftables.tables.choiros = {
      family = "inet";
      content = ''
        chain spoofed {
          type filter hook prerouting priority raw; policy accept;
          iifname ${links} meta nfproto ipv6 drop
          iifname ${links} iifname . ip saddr != ${each (s: ''"${s.interface}" . ${s.address}'')} drop
        }
        chain input {
          type filter hook input priority filter - 5; policy accept;
          iifname ${links} ct state established accept
          iifname ${links} drop
        }
        chain forward {
          type filter hook forward priority filter - 5; policy accept;
          iifname ${links} oifname ${links} drop
          iifname ${links} jump egress
          oifname ${links} ct state established,related accept
          oifname ${links} drop
        }
        chain egress {
          ct state established accept
          ${lib.concatStringsSep "\n  " (lib.concatMap way outward)}
          drop
        }
        # sandboxes believe the gateway's word on who is calling, so nobody else on the host calls them
        chain output {
          type filter hook output priority filter - 5; policy accept;
          oifname ${links} meta nfproto ipv6 drop
          oifname ${links} ct state established,related accept
          oifname ${links} meta skuid { 0, ${toString ids.hypervisor} } accept
          oifname ${links} drop
        }
        chain outward {
          type nat hook postrouting priority srcnat; policy accept;
          iifname ${links} masquerade
        }
      '';
    };
    # On its link a sandbox says where its own address is, and asks for the host's end: with any other address it
    # could speak for others, learn what else the host is called, and fill the host's table of neighbours.
    networking.nftables.tables.choiros-arp = {
      name = "choiros";
      family = "arp";
      content = ''
        chain input {
          type filter hook input priority filter; policy accept;
          iifname ${links} iifname . arp saddr ip . arp daddr ip != ${
            each (s: ''"${s.interface}" . ${s.address} . ${s.hostAddress}'')
          } drop
        }
      '';
    };
    # let through here, and only what the table above has let through
    networking.firewall.extraForwardRules = lib.mkIf (outward != [ ]) "iifname ${links} accept";
    boot.kernel.sysctl = lib.mkIf (outward != [ ]) {
      "net.ipv4.ip_forward" = lib.mkDefault 1;
    };
  };
}
