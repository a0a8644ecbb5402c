# Whom a sandbox's unit speaks with: a second wall behind the firewall's rules, of another make.
{ lib }:
let
  networks = import ./networks.nix { inherit lib; };

  # as systemd has it
  unit =
    s:
    let
      inherit (s.settings) egress;
      near = lib.optionals (!s.shared) [
        s.hostAddress
        s.address
      ];
    in
    {
      IPAddressDeny = if egress == "internet" then networks.private ++ [ "::/0" ] else "any";
      IPAddressAllow = [ "localhost" ] ++ near ++ lib.optionals (lib.isList egress) egress;
    };

  # as nftables has it, which knows IPv4 alone here
  set =
    addresses:
    lib.concatStringsSep "," (
      map (a: if a == "any" then "0.0.0.0/0" else a) (
        lib.filter (a: a != "localhost" && !lib.hasInfix ":" a) (lib.toList addresses)
      )
    );
in
{
  inherit unit;

  # The unit's doesn't see what a guest sends, so whoever has the guest's wire is told the same.
  guest = s: {
    GUEST_DENIED = set (unit s).IPAddressDeny;
    GUEST_ALLOWED = set (unit s).IPAddressAllow;
  };
}
