# What every sandbox's inside has, and has not: no logins, no Nix daemon, no documentation.
{
  workspace,
  stateVersion,
  egress,
  id,
}:
{ lib, pkgs, ... }:
let
  ids = import ../ids.nix;
in
{
  system.stateVersion = lib.mkDefault stateVersion;
  system.name = lib.mkDefault workspace;

  # What runs as dev today is live tomorrow. The name and the addresses are those that the host has given the container
  # before its first program starts; NixOS would write them into the closure.
  networking.hostName = lib.mkOverride 900 "";
  networking.interfaces = lib.mkOverride 90 { };

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
    uid = id;
    group = "sandbox";
    home = "/data";
  };
  users.groups.sandbox.gid = id;
  users.mutableUsers = lib.mkDefault false;
  users.allowNoPasswordLogin = true;
  security.sudo.enable = lib.mkDefault false;
  systemd.services.console-getty.enable = false;

  # Data of a release in which all workspaces had one id. It is renamed from in here, where no link leads to the host;
  # what lies on top comes last, so that a cut run is taken up again.
  systemd.services.data-owner = lib.mkIf (id != ids.sandbox) {
    description = "Data from before this workspace had an id of its own";
    wantedBy = [ "sysinit.target" ];
    before = [ "sysinit.target" ];
    after = [ "local-fs.target" ];
    path = [ pkgs.findutils ];
    unitConfig.DefaultDependencies = false;
    serviceConfig.Type = "oneshot";
    script = ''
      [ -n "$(find /data -mindepth 1 -maxdepth 1 -uid ${toString ids.sandbox} -print -quit)" ] || exit 0
      find /data -mindepth 1 -depth -uid ${toString ids.sandbox} -exec chown -h ${toString id}:${toString id} {} +
    '';
  };

  # the journal lies in memory, as all but /data does
  services.journald.extraConfig = lib.mkDefault "SystemMaxUse=64M";

  nix.enable = lib.mkDefault false;
  documentation.enable = lib.mkDefault false;
  environment.defaultPackages = lib.mkDefault [ ];
  programs.nano.enable = lib.mkDefault false;
  programs.command-not-found.enable = lib.mkDefault false;
}
