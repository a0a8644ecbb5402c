# Our own sandbox service, inside its container. Who it is comes from outside: the same inside serves as live and as dev.
{
  workspace,
  package,
  # in which the host's end of its wire is; which it is, the same inside can't know
  network,
}:
{ lib, ... }:
{
  systemd.services.sandbox = {
    description = "ChoirOS sandbox of ${workspace}";
    wantedBy = [ "multi-user.target" ];
    after = [ "network.target" ];
    serviceConfig = import ../lib/hardening.nix // {
      Type = "notify";
      ExecStart = lib.getExe package;
      PassEnvironment = [
        "SANDBOX_NAME"
        "SANDBOX_INSTANCE_ROLE"
        "SANDBOX_RELEASE"
        "SANDBOX_LISTEN"
        "SANDBOX_DATA_DIR"
        "PORT"
        "DATA_DIR"
      ];
      User = "sandbox";
      Group = "sandbox";
      ReadWritePaths = [ "/data" ];
      RestrictAddressFamilies = [
        "AF_UNIX" # says when it is ready
        "AF_INET" # serves HTTP
      ];
      IPAddressDeny = "any";
      IPAddressAllow = network;
      Restart = "always";
      RestartSec = 1;
    };
  };
}
