# Our own sandbox service, inside its container.
sandbox:
{ lib, ... }:
{
  systemd.services.sandbox = {
    description = "ChoirOS sandbox ${sandbox.name}";
    wantedBy = [ "multi-user.target" ];
    after = [ "network.target" ];
    environment = {
      SANDBOX_LISTEN = "0.0.0.0:${toString sandbox.options.port}";
      SANDBOX_NAME = sandbox.name;
      SANDBOX_INSTANCE_ROLE = sandbox.role;
      SANDBOX_DATA_DIR = "/data";
    };
    serviceConfig = import ../hardening.nix // {
      Type = "notify";
      ExecStart = lib.getExe sandbox.options.package;
      User = "sandbox";
      Group = "sandbox";
      ReadWritePaths = [ "/data" ];
      RestrictAddressFamilies = [
        "AF_UNIX" # says when it is ready
        "AF_INET" # serves HTTP
      ];
      IPAddressDeny = "any";
      IPAddressAllow = [ sandbox.hostAddress ];
      Restart = "always";
      RestartSec = 1;
    };
  };
}
