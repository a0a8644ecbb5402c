# `nix run`: the gateway and its sandboxes as child processes, with their state in ./.state.
{
  writeShellApplication,
  hypervisor,
  sandbox,
  ...
}:
writeShellApplication {
  name = "choiros-run";
  text = ''
    : "''${HYPERVISOR_RUNTIME_COMMAND:=[\"${sandbox}/bin/sandbox\"]}"
    export HYPERVISOR_RUNTIME_COMMAND
    exec ${hypervisor}/bin/hypervisor serve "$@"
  '';
}
