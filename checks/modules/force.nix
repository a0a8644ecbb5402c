# What a build of the host would evaluate of ours, and nothing of the rest, which would take four seconds a case.
{ lib, insides }:
config:
let
  named =
    prefixes: set:
    lib.attrValues (
      lib.filterAttrs (name: _: lib.any (prefix: lib.hasPrefix prefix name) prefixes) set
    );
in
# a package in a unit's setting counts as its path
builtins.toJSON [
  config.services.choiros.settings
  (map (u: u.text) (named [ "choiros-" "container@" "caddy" "nftables" ] config.systemd.units))
  (map (c: map (u: u.text) (named [ "sandbox." "guest-" "virtiofsd." "vmm." ] c.systemd.units)) (
    insides config
  ))
  (map (file: toString file.source) (named [ "choiros/" "caddy/" ] config.environment.etc))
  (map (table: table.content) (named [ "choiros" ] config.networking.nftables.tables))
  (config.systemd.tmpfiles.settings.choiros or { })
  config.networking.firewall.extraInputRules
  config.boot.kernel.sysctl
  config.security.polkit.extraConfig
  (map toString config.system.checks)
]
