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
  text = builtins.readFile ../programs/links.sh + builtins.readFile (../programs + "/${name}.sh");
}
