# Cases without a machine: what the module makes of its options. One file a concern; `evaluate` is NixOS, or a stand-in.
{ evaluate }:
let
  # a host with these choiros settings, and `more` of NixOS
  with' = more: settings: {
    imports = [ more ];
    services.choiros = {
      enable = true;
      domain = "choir.example.org";
    }
    // settings;
  };
  words = {
    inherit evaluate with';
    on = with' { };
    says = text: part: builtins.length (builtins.split part text) > 1;
  };
  files = builtins.filter (file: file != "default.nix" && file != "run.nix" && file != "base.nix") (
    builtins.attrNames (builtins.readDir ./.)
  );
in
builtins.foldl' (cases: file: cases // import (./. + "/${file}") words) { } files
