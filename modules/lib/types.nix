# Strings that several concerns take, each with the sentence that a wrong one is refused with.
{ lib }:
let
  inherit (lib) types;
  label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
  networks = import ./networks.nix { inherit lib; };
  # a type that says in words what it wants, instead of the pattern
  fulfilling = description: holds: types.addCheck types.str holds // { inherit description; };
  matching = description: pattern: fulfilling description (v: builtins.match pattern v != null);
  network = description: parse: fulfilling description (v: lib.hasInfix "/" v && parse v != null);
  ipv4 = network "IPv4 network such as 198.51.100.0/24" networks.v4;
  ipv6 = network "IPv6 network such as 2001:db8::/32" networks.v6;
in
{
  domain =
    fulfilling
      "domain name in lower case, without scheme, port or slash; an address is none, since passkeys want a name"
      (
        v:
        builtins.match "${label}([.]${label})*" v != null
        && lib.stringLength v <= 253
        && builtins.match "[0-9]+" (lib.last (lib.splitString "." v)) == null
      );
  # names that no public authority gives certificates for, and no public resolver answers
  isReserved =
    domain:
    lib.any (suffix: domain == suffix || lib.hasSuffix ".${suffix}" domain) [
      "alt"
      "corp"
      "home"
      "home.arpa"
      "internal"
      "intranet"
      "invalid"
      "lan"
      "local"
      "localdomain"
      "localhost"
      "onion"
      "private"
      "test"
    ];
  inherit ipv4;
  cidr = types.either ipv4 ipv6;
  address = fulfilling "IPv4 or IPv6 address such as 10.0.0.2 or fd00::2" (
    v: !lib.hasInfix "/" v && (networks.v4 v != null || networks.v6 v != null)
  );
  sandboxNetwork =
    fulfilling "IPv4 network of /16 to /22, by its first address, such as 10.233.0.0/16"
      (
        v:
        let
          n = networks.v4 v;
        in
        lib.hasInfix "/" v && n != null && n.prefix >= 16 && n.prefix <= 22 && networks.isFirst n
      );
  size = matching "number of bytes, with K, M, G or T" "[1-9][0-9]*[KMGT]?";
  # it stands in units and rules, where blanks, quotes and % mean something
  folder =
    fulfilling
      "absolute path of a folder, of letters, digits, dots, hyphens and underscores, without a slash at its end"
      (
        v:
        builtins.match "(/[A-Za-z0-9._-]+)+" v != null
        && !lib.any (part: part == "." || part == "..") (lib.splitString "/" v)
      );
  # a path literal would be copied into the store, for all to read
  secretFile = types.addCheck types.externalPath lib.isString // {
    description = "absolute path, as a string, of a file that is not in the Nix store";
  };
  # 0 would be any
  port = types.ints.between 1 65535 // {
    description = "port from 1 to 65535";
  };
  isV6 = lib.hasInfix ":";
}
