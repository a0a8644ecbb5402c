# The cases under the real NixOS: a check for each concern, and `modules` for all of them. What doesn't hold is an error
# of evaluation, with its reason. An evaluator shares `pkgs` among the hosts, and keeps nothing of a case that is done.
{
  lib,
  pkgs,
  evaluate,
}:
let
  # one inside with our service, for they differ in names alone, and each that a case wrote
  insides =
    config:
    map (s: config.containers.${s.name}.config) (
      lib.filter (s: s.name == "sandbox-live" || s.options.config != null) (
        lib.optionals config.services.choiros.enable config.services.choiros.containers
      )
    );
  force = import ./force.nix { inherit lib insides; };
  failed = config: map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  broken = config: failed config ++ lib.concatMap failed (insides config);
  # what is wrong with a case; nothing, if it holds
  wrong =
    case:
    let
      config = evaluate case.config;
      messages = broken config;
      outcome = case.expect config;
    in
    if case ? fails then
      if lib.any (lib.hasInfix case.fails) messages then
        [ ]
      else if messages != [ ] then
        [ "it fails, but with: ${toString messages}" ]
      else
        builtins.seq (force config) [ "nothing fails with: ${case.fails}" ]
    else if messages != [ ] then
      messages
    else
      builtins.seq (force config) (
        if lib.isList outcome then
          map (o: o.name) (lib.filter (o: !o.ok) outcome)
        else
          lib.optional (!outcome) "the expectation is false"
      );
  # an error of evaluation is what some cases want: that it is one can be seen here; `.ci/flake` reads its text
  verdict =
    case:
    let
      found = wrong case;
      tried = builtins.tryEval (builtins.deepSeq found found);
    in
    if tried.success then
      {
        why = tried.value;
        thrown = false;
      }
    else
      {
        why = lib.optional (!(case ? fails)) "evaluation ends with an error";
        thrown = true;
      };

  casesOf =
    concern:
    import ./. {
      inherit evaluate;
      concerns = [ concern ];
    };
  check =
    concern:
    let
      cases = casesOf concern;
      verdicts = lib.mapAttrs (_: verdict) cases;
      lines = lib.concatLists (lib.mapAttrsToList (name: v: map (why: "${name}: ${why}") v.why) verdicts);
    in
    # looked at when it is built, and not when it is listed
    pkgs.runCommand "module-cases-${concern}"
      {
        passthru = {
          # the cases that an error of evaluation decides, with what it must say
          thrown = lib.mapAttrs (name: _: cases.${name}.fails) (lib.filterAttrs (_: v: v.thrown) verdicts);
        };
      }
      (
        lib.throwIf (lines != [ ]) "module cases of ${concern} that do not hold:\n${lib.concatLines lines}"
          ''
            echo "${toString (lib.length (lib.attrNames cases))} cases hold" | tee $out
          ''
      );
  checks = lib.genAttrs (import ./concerns.nix) check;
in
lib.mapAttrs' (concern: lib.nameValuePair "modules-${concern}") checks
// {
  modules = pkgs.linkFarm "module-cases" checks // {
    # each case by itself, for whoever wants to read what it ends with
    tried = lib.genAttrs (import ./concerns.nix) (concern: lib.mapAttrs (_: wrong) (casesOf concern));
  };
}
