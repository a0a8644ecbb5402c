# docs/options.md says what the options say.
{ pkgs, options-doc }:
pkgs.runCommand "options-page" { } ''
  diff ${../docs/options.md} ${options-doc}/options.md || {
    echo 'docs/options.md is not current: `make docs` writes it anew, with Nix' >&2
    exit 1
  }
  touch $out
''
