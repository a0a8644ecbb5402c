# The rules that keep sandboxes apart, and what watches over them. Tables of their own, whose drops hold whatever the
# host's other rules accept: a sandbox answers the gateway, speaks with no other sandbox, and opens connections only where
# its workspace's `egress` says. Sandboxes run while these rules stand: one unit stands for the rules, another watches
# them, puts them back, and stops the first, and with it the sandboxes, if they don't stay.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (import ./lib/plan.nix { inherit lib; }) folders ids;
  networks = import ./lib/networks.nix { inherit lib; };
  hardening = import ./lib/hardening.nix;
  units = import ./lib/units.nix;
  inherit (config.boot.kernel) sysctl;
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
        if w.egress == "internet" then "!= ${set networks.private}" else set w.egress
      }";
    in
    [
      "${to} add @connections { iifname ct count over ${toString connections} } drop"
      "${to} accept"
    ];

  table = t: ''
    table ${t.family} ${t.name}
    delete table ${t.family} ${t.name}
    table ${t.family} ${t.name} {
    ${t.content}
    }
  '';
  rules = pkgs.writeText "choiros-firewall.nft" (
    lib.concatMapStrings table [
      config.networking.nftables.tables.choiros
      config.networking.nftables.tables.choiros-arp
    ]
  );
  guard = pkgs.writeShellApplication {
    name = "choiros-firewall";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.nftables
      pkgs.util-linux
    ];
    runtimeEnv = {
      FOLDER = folders.seal;
      RULES = "${rules}";
    };
    text = builtins.readFile ./programs/guard.sh;
  };
  run = lib.getExe guard;
  ruling = hardening // {
    User = "choiros-firewall";
    Group = "choiros-firewall";
    # the host's rules are what this is about
    AmbientCapabilities = "CAP_NET_ADMIN";
    CapabilityBoundingSet = "CAP_NET_ADMIN";
    PrivateUsers = false;
    RestrictAddressFamilies = [
      "AF_UNIX"
      "AF_NETLINK"
    ];
    IPAddressDeny = "any";
    RuntimeDirectory = baseNameOf folders.seal;
    RuntimeDirectoryMode = "0755";
    # the last word is read when it is over, too
    RuntimeDirectoryPreserve = true;
    UMask = "0022";
  };
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion =
          outward != [ ]
          -> lib.all (name: toString (sysctl.${name} or 1) == "1") [
            "net.ipv4.ip_forward"
            "net.ipv4.conf.all.forwarding"
          ];
        message = "boot.kernel.sysctl.\"net.ipv4.ip_forward\" or \"net.ipv4.conf.all.forwarding\" is off, so the `egress` of a workspace leads nowhere. Leave it out, or set services.choiros.workspaces.<name>.egress = \"none\".";
      }
    ];

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

    users.users.choiros-firewall = {
      isSystemUser = true;
      group = "choiros-firewall";
    };
    users.groups.choiros-firewall = { };

    systemd.services.choiros-firewall = {
      description = "The rules that keep sandboxes apart";
      wantedBy = [ "multi-user.target" ];
      after = [ "nftables.service" ];
      unitConfig.Upholds = "choiros-firewall-watch.service";
      # sandboxes end with this unit: a switch must not restart it
      reloadIfChanged = true;
      startLimitIntervalSec = 0;
      serviceConfig = ruling // {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${run} load";
        ExecReload = "${run} load";
        ExecStopPost = "${run} stopped";
        TimeoutStartSec = 30;
      };
    };
    # whoever needs a sandbox waits for no person
    systemd.timers.choiros-firewall = {
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnUnitInactiveSec = 5;
        AccuracySec = "1s";
      };
    };

    systemd.services.choiros-firewall-watch = {
      description = "Watch over the rules that keep sandboxes apart";
      after = [ "choiros-firewall.service" ];
      partOf = [ "choiros-firewall.service" ];
      onFailure = [ "choiros-unsealed.service" ];
      startLimitIntervalSec = 0;
      serviceConfig = ruling // {
        Type = "notify";
        NotifyAccess = "all";
        ExecStart = "${run} watch";
        # a crash leaves the rules as they are; a failure means that they are gone for good
        Restart = "on-abnormal";
        RestartMode = "direct";
        RestartSec = "100ms";
        WatchdogSec = 30;
      };
    };
    systemd.services.choiros-unsealed = {
      description = "Stop of all sandboxes, because nothing keeps them apart";
      conflicts = [ "choiros-firewall.service" ];
      serviceConfig =
        hardening
        // units.offline
        // {
          Type = "oneshot";
          ExecStart = "${pkgs.coreutils}/bin/true";
          DynamicUser = true;
        };
    };
  };
}
