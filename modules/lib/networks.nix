# Arithmetic of addresses and networks. A text that is none gives null.
{ lib }:
let
  power = n: lib.foldl' (x: _: x * 2) 1 (lib.range 1 n);
  octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  prefixOf =
    most: text:
    if builtins.match "0|[1-9][0-9]?[0-9]?" text == null || lib.toInt text > most then
      null
    else
      lib.toInt text;

  # an address, with or without /LENGTH
  v4 =
    text:
    let
      parts = lib.splitString "/" text;
      octets = builtins.match "${octet}[.]${octet}[.]${octet}[.]${octet}" (lib.head parts);
      prefix = if lib.length parts == 1 then 32 else prefixOf 32 (lib.last parts);
    in
    if lib.length parts > 2 || octets == null || prefix == null then
      null
    else
      {
        inherit prefix;
        address = lib.foldl' (sum: o: sum * 256 + lib.toInt o) 0 octets;
      };

  # the same, with `groups` (lower case, as written) in place of a number that Nix has no room for
  v6 =
    text:
    let
      parts = lib.splitString "/" text;
      prefix = if lib.length parts == 1 then 128 else prefixOf 128 (lib.last parts);
      halves = lib.splitString "::" (lib.toLower (lib.head parts));
      groups = half: if half == "" then [ ] else lib.splitString ":" half;
      written = lib.concatMap groups halves;
      wellWritten = lib.all (g: builtins.match "[0-9a-f]{1,4}" g != null) written;
      fits =
        if lib.length halves == 1 then
          lib.length written == 8
        else
          lib.length halves == 2 && lib.length written <= 7;
    in
    if lib.length parts > 2 || prefix == null || !wellWritten || !fits then
      null
    else
      {
        inherit prefix;
        # the first sixteen bits
        first = if lib.head halves == "" then 0 else lib.fromHexString (lib.head written);
      };

  beginning = network: length: network.address / power (32 - length);
  overlap =
    a: b:
    let
      length = lib.min a.prefix b.prefix;
    in
    beginning a length == beginning b length;
in
{
  inherit
    v4
    v6
    overlap
    power
    ;

  # everybody
  world = [
    "0.0.0.0/0"
    "::/0"
  ];
  # what egress to the "internet" leaves out: this host, private and shared networks, a cloud's metadata service, multicast
  private = [
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

  # the address that is this number
  text =
    address:
    lib.concatMapStringsSep "." (n: toString (lib.mod (address / power n) 256)) [
      24
      16
      8
      0
    ];
  # the network that is this address alone
  single = address: "${address}/${if lib.hasInfix ":" address then "128" else "32"}";
  # whether it is the first address of its network that is written
  isFirst = network: lib.mod network.address (power (32 - network.prefix)) == 0;

  # do these networks hold a 64th of the public internet, or more? no operator has that much, and the world is made of halves
  isWorld =
    cidrs:
    let
      networks = lib.unique cidrs;
      sum = lib.foldl' builtins.add 0;
      v4s = lib.filter (n: n != null) (map v4 networks);
      # 2000::/3 is what is routed; fc00::/7 and fe80::/10 are one's own
      public = n: n.prefix < 3 || (n.first >= 8192 && n.first < 16384);
      v6s = lib.filter (n: n != null && public n) (map v6 networks);
    in
    sum (map (n: power (32 - n.prefix)) v4s) >= power 26
    || sum (map (n: if n.prefix > 20 then 0 else power (20 - n.prefix)) v6s) >= power 11;
}
