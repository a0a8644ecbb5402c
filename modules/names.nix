# Strings that several concerns take, each with the sentence that a wrong one is refused with.
{ lib }:
let
  inherit (lib) types;
  label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
  octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  # a type that says in words what it wants, instead of the pattern
  matching =
    description: pattern:
    types.addCheck types.str (v: builtins.match pattern v != null) // { inherit description; };
  ipv4 = matching "IPv4 network such as 198.51.100.0/24" "${octet}([.]${octet}){3}/(3[0-2]|[12]?[0-9])";
  ipv6 = matching "IPv6 network such as 2001:db8::/32" "[0-9a-f:]*:[0-9a-f:]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9])";
in
{
  domain = matching "domain name in lower case, without scheme, port or slash" "${label}([.]${label})*";
  inherit ipv4;
  cidr = types.either ipv4 ipv6;
  size = matching "number of bytes, with K, M, G or T" "[1-9][0-9]*[KMGT]?";
  urlPath = matching "path that begins with a slash" "/[^ ]*";
  isV6 = lib.hasInfix ":";
}
