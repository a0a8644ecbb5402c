# Our own sandbox service. Who it is comes from outside: the same inside serves as live and as dev.
host: sandbox:
{ lib, ... }:
let
  identity = import ../lib/identity.nix { inherit lib; };
in
{
  systemd.services.sandbox = {
    description = "ChoirOS sandbox of ${sandbox.workspace}";
    wantedBy = [ "multi-user.target" ];
    after = [ "network.target" ];
    serviceConfig = import ../lib/hardening.nix // {
      Type = "notify";
      ExecStart = lib.getExe sandbox.options.package;
      PassEnvironment = identity.names;
      User = "sandbox";
      Group = "sandbox";
      ReadWritePaths = [ "/data" ];
      RestrictAddressFamilies = [
        "AF_UNIX" # says when it is ready
        "AF_INET" # serves HTTP
      ];
      IPAddressDeny = "any";
      # in it is the host's end of its wire; which that is, the same inside can't know
      IPAddressAllow = host.config.services.choiros.network;
      Restart = "always";
      RestartSec = 1;
    };
  };
}
