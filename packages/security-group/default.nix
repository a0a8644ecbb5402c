# The template as a file, and a program that compares it with a group that exists.
{
  writeText,
  writeShellApplication,
  runCommand,
  awscli2,
  jq,
  template,
}:
let
  file = writeText "security-group.json" (builtins.toJSON template);
  diff = writeShellApplication {
    name = "security-group-diff";
    runtimeInputs = [
      awscli2
      jq
    ];
    runtimeEnv.TEMPLATE = "${file}";
    text = builtins.readFile ./diff.sh;
  };
in
runCommand "security-group.json" { passthru = { inherit diff; }; } ''
  ${jq}/bin/jq . ${file} > $out
''
