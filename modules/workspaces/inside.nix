# What every sandbox's inside has, and has not: no logins, no Nix daemon, no documentation.
{ stateVersion }:
{ lib, ... }:
let
  ids = import ../ids.nix;
in
{
  system.stateVersion = lib.mkDefault stateVersion;

  # the host's firewall decides who reaches a sandbox, and whom it reaches
  networking.firewall.enable = lib.mkDefault false;
  networking.useHostResolvConf = lib.mkDefault false;

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
  systemd.services.console-getty.enable = lib.mkDefault false;

  nix.enable = lib.mkDefault false;
  documentation.enable = lib.mkDefault false;
  environment.defaultPackages = lib.mkDefault [ ];
  programs.nano.enable = lib.mkDefault false;
  programs.command-not-found.enable = lib.mkDefault false;
}
