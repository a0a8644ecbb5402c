# The names of the files here that hold cases.
let
  others = [
    "base"
    "concerns"
    "default"
    "force"
    "run"
    "takers"
  ];
  named =
    file:
    let
      m = builtins.match "(.*)[.]nix" file;
    in
    if m == null then [ ] else m;
in
builtins.filter (name: !builtins.elem name others) (
  builtins.concatMap named (builtins.attrNames (builtins.readDir ./.))
)
