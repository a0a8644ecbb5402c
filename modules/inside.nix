# The system inside a workspace's sandboxes, or inside those of all slots: nothing in it tells live from dev. Not a module
# of the host, but what makes one for the inside.
let
  # The inside has the host's packages, with its overlays and its `nixpkgs.config`, unless it has a configuration of its
  # own.
  packages =
    pkgs:
    { lib, config, ... }:
    {
      nixpkgs.pkgs = lib.mkIf (config.nixpkgs.config == { }) (lib.mkDefault pkgs);
    };

  # what every inside has, and has not: no logins, no Nix daemon, no documentation
  base =
    host: sandbox:
    { lib, pkgs, ... }:
    let
      inherit (import ./lib/plan.nix { inherit lib; }) ids;
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
      networking.nameservers = lib.mkIf (sandbox.settings.egress == "internet") (
        # public ones: the host's own may be in a private network, where sandboxes don't get
        lib.mkDefault [
          "9.9.9.9"
          "1.1.1.1"
        ]
      );

      users.users.sandbox = {
        isSystemUser = true;
        uid = sandbox.id;
        group = "sandbox";
        home = "/data";
      };
      users.groups.sandbox.gid = sandbox.id;
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
          id=''${SANDBOX_ID:-${toString sandbox.id}}
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
        rateLimitBurst = lib.mkDefault sandbox.settings.logRate;
      };

      nix.enable = lib.mkDefault false;
      documentation.enable = lib.mkDefault false;
      environment.defaultPackages = lib.mkDefault [ ];
      programs.nano.enable = lib.mkDefault false;
      programs.command-not-found.enable = lib.mkDefault false;
    };

  # Our own sandbox service. Who it is comes from outside: the same inside serves as live and as dev.
  service =
    host: sandbox:
    { lib, ... }:
    let
      identity = import ./lib/identity.nix { inherit lib; };
    in
    {
      systemd.services.sandbox = {
        description = "ChoirOS sandbox of ${sandbox.workspace}";
        wantedBy = [ "multi-user.target" ];
        after = [ "network.target" ];
        serviceConfig = import ./lib/hardening.nix // {
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
    };
in
{
  inherit packages;

  # of a sandbox of the host whose { config, pkgs } these are
  system = host: sandbox: {
    imports = [
      (packages host.pkgs)
      (base host sandbox)
      (if sandbox.options.config == null then service host sandbox else sandbox.options.config)
    ];
  };
}
