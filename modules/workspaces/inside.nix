# What every sandbox's inside has, and has not: no logins, no Nix daemon, no documentation.
{ stateVersion, egress }:
{ lib, ... }:
let
  ids = import ../ids.nix;
in
{
  system.stateVersion = lib.mkDefault stateVersion;

  # the host's firewall decides who reaches a sandbox, and whom it reaches
  networking.firewall.enable = lib.mkDefault false;
  # NixOS has a default of its own for containers here, as for console-getty below
  networking.useHostResolvConf = false;
  networking.nameservers = lib.mkIf (egress == "internet") (
    # public ones: the host's own may be in a private network, where sandboxes don't get
    lib.mkDefault [
      "9.9.9.9"
      "1.1.1.1"
    ]
  );

  users.users.sandbox = {
    isSystemUser = true;
    uid = ids.sandbox;
    group = "sandbox";
    home = "/data";
  };
  users.groups.sandbox.gid = ids.sandbox;
  users.mutableUsers = lib.mkDefault false;
  users.allowNoPasswordLogin = true;
  security.sudo.enable = lib.mkDefault false;
  systemd.services.console-getty.enable = false;

  nix.enable = lib.mkDefault false;
  documentation.enable = lib.mkDefault false;
  environment.defaultPackages = lib.mkDefault [ ];
  programs.nano.enable = lib.mkDefault false;
  programs.command-not-found.enable = lib.mkDefault false;
}
