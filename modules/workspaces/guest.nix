# What every sandbox's inside has, and has not: no logins, no Nix daemon, no documentation.
{
  workspace,
  stateVersion,
  egress,
  logRate,
  id,
}:
{ lib, pkgs, ... }:
let
  inherit (import ../lib/plan.nix { inherit lib; }) ids;
  # what has the id of another workspace's sandboxes
  others =
    kind:
    let
      between = first: last: "-${kind} +${toString (first - 1)} -${kind} -${toString (last + 1)}";
    in
    ''\( -${kind} ${toString ids.sandbox} -o ${
      between (ids.workspaces + 1) (ids.workspaces + ids.mostWorkspaces)
    } -o ${between (ids.slots + 1) (ids.slots + ids.mostSlots)} \) ! -${kind} "$id"'';
  renamed = kind: owner: ''
    if [ -n "$(find /data -mindepth 1 -maxdepth 1 ${others kind} -print -quit)" ]; then
      find /data -mindepth 1 -depth ${others kind} -exec chown -h "${owner}" {} +
    fi
  '';
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

  # Who owns /data. Slots share one closure, so the user `sandbox` has its id from what is told at the start; and files
  # that another workspace's sandboxes wrote (from an archive, or in a release in which all had one id) become its own.
  # They are renamed from in here, where no link leads to the host; what lies on top comes last, so that a cut run is
  # taken up again.
  systemd.services.data-owner = {
    description = "Owner of /data";
    wantedBy = [ "sysinit.target" ];
    before = [
      "sysinit.target"
      "systemd-tmpfiles-setup.service"
    ];
    after = [
      "local-fs.target"
      "systemd-sysusers.service"
      "userborn.service"
    ];
    path = [
      pkgs.findutils
      pkgs.gnused
    ];
    unitConfig.DefaultDependencies = false;
    serviceConfig = {
      Type = "oneshot";
      PassEnvironment = "SANDBOX_ID";
    };
    script = ''
      id=''${SANDBOX_ID:-${toString id}}
      if [ "$(id -u sandbox)" != "$id" ]; then
        sed -i "s/^sandbox:\([^:]*\):[0-9]*:[0-9]*:/sandbox:\1:$id:$id:/" /etc/passwd
        sed -i "s/^sandbox:\([^:]*\):[0-9]*:/sandbox:\1:$id:/" /etc/group
      fi
      ${renamed "uid" "$id"}
      ${renamed "gid" ":$id"}
    '';
  };

  # the journal lies in memory, as all but /data does
  services.journald = {
    extraConfig = lib.mkDefault "SystemMaxUse=64M";
    rateLimitInterval = lib.mkDefault "30s";
    rateLimitBurst = lib.mkDefault logRate;
  };

  nix.enable = lib.mkDefault false;
  documentation.enable = lib.mkDefault false;
  environment.defaultPackages = lib.mkDefault [ ];
  programs.nano.enable = lib.mkDefault false;
  programs.command-not-found.enable = lib.mkDefault false;
}
