# The cases under the real NixOS, as one derivation that fails with the names and reasons of those that don't hold.
{
  lib,
  pkgs,
  evaluate,
}:
let
  cases = import ./. { inherit evaluate; };
  failed = config: map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  broken =
    config:
    failed config
    ++ lib.concatMap (c: lib.optionals (c.flake == null) (failed c.config)) (
      lib.attrValues config.containers
    );
  # what is wrong with a case; nothing, if it holds
  wrong =
    case:
    let
      config = evaluate case.config;
      messages = broken config;
      outcome = case.expect config;
    in
    if case ? fails then
      lib.optional (!lib.any (lib.hasInfix case.fails) messages) "nothing fails with: ${case.fails}"
    else if messages != [ ] then
      messages
    else if lib.isList outcome then
      map (o: o.name) (lib.filter (o: !o.ok) outcome)
    else
      lib.optional (!outcome) "the expectation is false";
  # an error of evaluation is what some cases want: its text can't be read here, that it is one can
  verdict =
    case:
    let
      tried = builtins.tryEval (builtins.deepSeq (wrong case) (wrong case));
    in
    if tried.success then
      tried.value
    else
      lib.optional (!(case ? fails)) "evaluation ends with an error";
  lines = lib.concatLists (
    lib.mapAttrsToList (name: case: map (why: "${name}: ${why}") (verdict case)) cases
  );
in
pkgs.runCommand "module-cases" { text = lib.concatLines lines; } ''
  if [ -n "$text" ]; then
    echo "$text"
    exit 1
  fi
  echo "${toString (lib.length (lib.attrNames cases))} cases hold" | tee $out
''
