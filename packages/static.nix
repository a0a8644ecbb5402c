# Both programs, which need no libraries of the machine, in one folder: the gateway looks for the sandbox service
# beside itself.
{ runCommand, static }:
runCommand "choiros-host-${static.hypervisor.version}"
  {
    pname = "choiros-host";
    inherit (static.hypervisor) version;
    meta = removeAttrs static.hypervisor.meta [ "position" ];
  }
  ''
    mkdir -p $out/bin
    cp ${static.hypervisor}/bin/hypervisor ${static.sandbox}/bin/sandbox $out/bin
  ''
