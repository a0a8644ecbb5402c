# The sandboxes' network is theirs alone. A host that has it otherwise would lose its own way, or they theirs.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  hardening = import ../lib/hardening.nix;
  inherit (cfg) network;
  taken = import ./taken.nix {
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
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = taken == [ ];
        message = "${(lib.head taken).where}: ${(lib.head taken).text} overlaps ${network}, which is the sandboxes' network. Use another network there, or set services.choiros.network to one that is free.";
      }
    ];

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
