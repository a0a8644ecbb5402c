# What every system inside has, and has not: no logins, no Nix daemon, no documentation, and no name or address of its own.
host: sandbox:
{ lib, ... }:
{
  system.stateVersion = lib.mkDefault host.config.system.stateVersion;
  system.name = lib.mkDefault sandbox.workspace;

  # What runs as dev today is live tomorrow. The name and the addresses are those that the host has given the container
  # before its first program starts; NixOS would write them into the closure.
  networking.hostName = lib.mkOverride 900 "";
  networking.interfaces = lib.mkOverride 90 { };

  # the host's firewall decides who reaches a sandbox, and whom it reaches
  networking.firewall.enable = lib.mkDefault false;
  # NixOS has a default of its own for containers here, as for console-getty below
  networking.useHostResolvConf = false;

  users.mutableUsers = lib.mkDefault false;
  users.allowNoPasswordLogin = true;
  security.sudo.enable = lib.mkDefault false;
  systemd.services.console-getty.enable = false;

  # the journal lies in memory, as all but /data does
  services.journald = {
    extraConfig = lib.mkDefault "SystemMaxUse=64M";
    rateLimitInterval = lib.mkDefault "30s";
    rateLimitBurst = lib.mkDefault sandbox.settings.logRate;
  };

  nix.enable = lib.mkDefault false;
  documentation.enable = lib.mkDefault false;
  environment.defaultPackages = lib.mkDefault [ ];
  programs.nano.enable = lib.mkDefault false;
  programs.command-not-found.enable = lib.mkDefault false;
}
