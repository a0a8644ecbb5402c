# One of the two programs that write releases and pins.
{ pkgs }:
name: more:
pkgs.writeShellApplication {
  name = "choiros-${name}";
  runtimeInputs = [
    pkgs.coreutils
    pkgs.util-linux
  ]
  ++ more;
  text = builtins.readFile ./links.sh + builtins.readFile (./. + "/${name}.sh");
}
