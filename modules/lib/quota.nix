# The program that makes folders a project with limits of its disk space, quota.py, and how it is run.
{ lib, pkgs }:
let
  inherit (import ./plan.nix { inherit lib; }) folders;
  inherit (import ./size.nix { inherit lib; }) bytes;
  orNone = of: value: if value == null then 0 else of value;
in
rec {
  program = pkgs.writeShellApplication {
    name = "choiros-quota";
    runtimeInputs = [
      pkgs.linuxquota
      pkgs.python3
      pkgs.util-linux
    ];
    runtimeEnv.STATE = state;
    text = ''
      exec python3 ${../programs/quota.py} "$@"
    '';
  };
  command = lib.getExe program;

  isLimited = limits: limits.diskMax != null || limits.filesMax != null;
  # BYTES FILES, as it takes them
  numbers =
    limits: "${toString (orNone bytes limits.diskMax)} ${toString (orNone lib.id limits.filesMax)}";

  # where it knows from which folders it has walked through
  state = folders.quota;
  # over those of ./hardening.nix
  serviceConfig = {
    ReadWritePaths = [ state ];
    # reads all folders, tags what is others', and sets limits, which is the kernel's
    CapabilityBoundingSet = [
      "CAP_DAC_READ_SEARCH"
      "CAP_FOWNER"
      "CAP_SYS_ADMIN"
      "CAP_SYS_RESOURCE"
    ];
    PrivateUsers = false;
    # setquota(8) looks for the mounts and for the kind of quotas there
    ProcSubset = "all";
    # a disk's limits are set by the name of its device; nothing opens it
    PrivateDevices = false;
    SystemCallFilter = (import ./hardening.nix).SystemCallFilter ++ [
      "quotactl quotactl_fd setrlimit prlimit64"
    ];
  };
}
