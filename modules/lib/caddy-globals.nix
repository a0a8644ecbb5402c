# Which of a Caddyfile's global options, as text, would take the site away, or open Caddy to others. Ours are there once.
{ lib }:
globalConfig:
let
  lines = map (line: lib.filter (w: lib.isString w && w != "") (builtins.split "[ \t]+" line)) (
    lib.splitString "\n" globalConfig
  );
  saying = option: lib.filter (words: words != [ ] && lib.head words == option) lines;
  servers = listener: lib.length (lib.filter (lib.elem listener) (saying "servers"));
  # a block for all addresses holds only where there is none for the very address
  forAll = lib.any (
    words:
    lib.elem (toString words) [
      "servers"
      "servers {"
    ]
  ) (saying "servers");
  switchesOff =
    words:
    lib.any (w: lib.elem w words) [
      "off"
      "disable_redirects"
      "disable_certs"
    ];
in
lib.filter (option: lib.length (saying option) > 1) [
  "admin"
  "on_demand_tls"
]
++ lib.filter (option: saying option != [ ]) [
  "http_port"
  "https_port"
  "default_bind"
]
++ lib.optional (lib.any switchesOff (saying "auto_https")) "auto_https"
++ lib.optional forAll "servers"
++ lib.optional (servers ":443" > 1) "servers :443"
++ lib.optional (servers ":80" > 1) "servers :80"
