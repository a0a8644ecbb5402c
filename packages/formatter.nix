# `nix fmt`: ../treefmt.toml with all the programs that it names.
{
  deadnix,
  nixfmt,
  rustfmt,
  shellcheck-minimal,
  shfmt,
  statix,
  treefmt,
}:
treefmt.withConfig {
  configFile = ../treefmt.toml;
  runtimeInputs = [
    deadnix
    nixfmt
    rustfmt
    shellcheck-minimal
    shfmt
    statix
  ];
}
