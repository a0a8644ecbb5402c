# A table of its own, whose drops hold whatever the host's other rules accept: a sandbox answers the
# gateway, speaks with no other sandbox, and opens connections only where its workspace's `egress` says.
{ lib, config, ... }:
let
  ids = import ../ids.nix;
  cfg = config.services.choiros;
  set = xs: "{ ${lib.concatStringsSep ", " xs} }";
  links = set (map (s: ''"${s.interface}"'') cfg.sandboxes);
  outward = lib.filter (s: cfg.workspaces.${s.workspace}.egress != "none") cfg.sandboxes;
  # what "internet" leaves out: this host, private and shared networks, a cloud's metadata service, multicast
  private = set [
    "0.0.0.0/8"
    "10.0.0.0/8"
    "100.64.0.0/10"
    "127.0.0.0/8"
    "169.254.0.0/16"
    "172.16.0.0/12"
    "192.0.0.0/24"
    "192.168.0.0/16"
    "198.18.0.0/15"
    "224.0.0.0/3"
  ];
  way =
    s:
    let
      inherit (cfg.workspaces.${s.workspace}) egress;
      to = if egress == "internet" then "ip daddr != ${private}" else "ip daddr ${set egress}";
    in
    lib.optionalString (egress != [ ]) ''iifname "${s.interface}" ${to} accept'';
in
{
  config = lib.mkIf cfg.enable {
    networking.nftables.tables.choiros = {
      family = "inet";
      content = ''
        chain spoofed {
          type filter hook prerouting priority raw; policy accept;
          ${lib.concatMapStringsSep "\n  " (
            s: ''iifname "${s.interface}" ip saddr != ${s.address} drop''
          ) cfg.sandboxes}
          iifname ${links} meta nfproto ipv6 drop
        }
        chain input {
          type filter hook input priority filter - 5; policy accept;
          iifname ${links} ct state established,related accept
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
          ct state established,related accept
          ${lib.concatMapStringsSep "\n  " way outward}
          drop
        }
        # sandboxes believe the gateway's word on who is calling, so nobody else on the host calls them
        chain output {
          type filter hook output priority filter - 5; policy accept;
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
    # let through here, and only what the table above has let through
    networking.firewall.extraForwardRules = lib.mkIf (outward != [ ]) "iifname ${links} accept";
    boot.kernel.sysctl = lib.mkIf (outward != [ ]) {
      "net.ipv4.ip_forward" = lib.mkDefault 1;
    };
  };
}
