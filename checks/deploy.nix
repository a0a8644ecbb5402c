# What deploy-rs reads: settings that it knows, for it would pass over a misspelt one, and profiles that it can activate.
{
  lib,
  pkgs,
  nodes,
}:
let
  inherit (lib) mkOption types;
  required = type: mkOption { inherit type; };
  optional =
    type:
    mkOption {
      type = types.nullOr type;
      default = null;
    };
  settings = lib.mapAttrs (_: optional) {
    activationTimeout = types.ints.u16;
    autoRollback = types.bool;
    confirmTimeout = types.ints.u16;
    fastConnection = types.bool;
    interactiveSudo = types.bool;
    magicRollback = types.bool;
    remoteBuild = types.bool;
    sshOpts = types.listOf types.str;
    sshUser = types.str;
    sudo = types.str;
    tempPath = types.str;
    user = types.str;
  };
  profile.options = settings // {
    path = required types.package;
    profilePath = optional types.str;
  };
  node.options = settings // {
    hostname = required types.str;
    profiles = required (types.attrsOf (types.submodule profile));
    profilesOrder = optional (types.listOf types.str);
  };
  known = lib.evalModules {
    modules = [
      {
        options.nodes = required (types.attrsOf (types.submodule node));
        config = { inherit nodes; };
      }
    ];
  };
  profiles = lib.concatMap (node: lib.attrValues node.profiles) (lib.attrValues known.config.nodes);
in
pkgs.runCommand "deploy" { nodes = builtins.toJSON known.config.nodes; } ''
  for profile in ${toString (map (profile: profile.path) profiles)}; do
    for program in activate-rs deploy-rs-activate; do
      if [ ! -x "$profile/$program" ]; then
        echo "$profile has no program $program, which deploy-rs starts: see hosts/activation.nix" >&2
        exit 1
      fi
    done
  done
  echo "$nodes" > $out
''
