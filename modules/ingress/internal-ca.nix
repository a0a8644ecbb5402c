# The hypervisor's certificate from an authority of the host's own. Caddy brings one along, and has no need of this.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  issue = pkgs.writeShellApplication {
    name = "choiros-certificate";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.openssl
    ];
    runtimeEnv.NAMES = lib.concatMapStringsSep "," (d: "DNS:${d}") (
      [ cfg.domain ]
      ++ cfg.redirectDomains
      ++ lib.optional (cfg.origins == "own") "*.${cfg.sandboxDomain}"
    );
    text = builtins.readFile ../programs/internal-ca.sh;
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.ingress.kind == "gateway" && cfg.ingress.internalCa) {
    users.users.choiros-certificate = {
      isSystemUser = true;
      group = "choiros-certificate";
    };

    systemd.services.choiros-certificate = {
      description = "Certificate of the host's own authority";
      wantedBy = [ "choiros-hypervisor.service" ];
      before = [ "choiros-hypervisor.service" ];
      serviceConfig = import ../lib/hardening.nix // {
        Type = "oneshot";
        ExecStart = lib.getExe issue;
        # not the hypervisor's: who speaks to the world doesn't hold the authority's key
        User = "choiros-certificate";
        Group = "choiros-certificate";
        StateDirectory = "choiros/certificate";
        StateDirectoryMode = "0750";
        UMask = "0027";
        PrivateNetwork = true;
        IPAddressDeny = "any";
      };
    };
    systemd.timers.choiros-certificate = {
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = "daily";
        Persistent = true;
      };
    };
  };
}
