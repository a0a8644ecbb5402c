# What a sandbox writes to its console has a journal of its own, small, so that it can't evict the host's:
# `journalctl --namespace=sandboxes -u container@NAME`. What is logged inside stays inside: `journalctl -M NAME`.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
in
{
  config = lib.mkIf cfg.enable {
    environment.etc."systemd/journald@sandboxes.conf".text = ''
      [Journal]
      Storage=persistent
      SystemMaxUse=64M
      RuntimeMaxUse=16M
      RateLimitIntervalSec=30s
      RateLimitBurst=1000
      ForwardToConsole=no
      ForwardToSyslog=no
      ForwardToWall=no
    '';
    systemd.services = lib.listToAttrs (
      map (
        s: lib.nameValuePair "container@${s.name}" { serviceConfig.LogNamespace = "sandboxes"; }
      ) cfg.containers
    );
  };
}
