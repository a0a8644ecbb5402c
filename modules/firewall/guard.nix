# Sandboxes run while the rules that keep them apart stand: one unit stands for the rules, another watches them, puts
# them back, and stops the first, and with it the sandboxes, if they don't stay.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (import ../lib/plan.nix { inherit lib; }) folders;
  table = t: ''
    table ${t.family} ${t.name}
    delete table ${t.family} ${t.name}
    table ${t.family} ${t.name} {
    ${t.content}
    }
  '';
  rules = pkgs.writeText "choiros-firewall.nft" (
    lib.concatMapStrings table [
      config.networking.nftables.tables.choiros
      config.networking.nftables.tables.choiros-arp
    ]
  );
  guard = pkgs.writeShellApplication {
    name = "choiros-firewall";
    runtimeInputs = [
      config.systemd.package
      pkgs.coreutils
      pkgs.nftables
      pkgs.util-linux
    ];
    runtimeEnv = {
      FOLDER = folders.seal;
      RULES = "${rules}";
    };
    text = builtins.readFile ../programs/guard.sh;
  };
  run = lib.getExe guard;
  hardening = import ../lib/hardening.nix // {
    User = "choiros-firewall";
    Group = "choiros-firewall";
    # the host's rules are what this is about
    AmbientCapabilities = "CAP_NET_ADMIN";
    CapabilityBoundingSet = "CAP_NET_ADMIN";
    PrivateUsers = false;
    RestrictAddressFamilies = [
      "AF_UNIX"
      "AF_NETLINK"
    ];
    IPAddressDeny = "any";
    RuntimeDirectory = baseNameOf folders.seal;
    RuntimeDirectoryMode = "0755";
    # the last word is read when it is over, too
    RuntimeDirectoryPreserve = true;
    UMask = "0022";
  };
in
{
  config = lib.mkIf cfg.enable {
    users.users.choiros-firewall = {
      isSystemUser = true;
      group = "choiros-firewall";
    };
    users.groups.choiros-firewall = { };

    systemd.services.choiros-firewall = {
      description = "The rules that keep sandboxes apart";
      wantedBy = [ "multi-user.target" ];
      after = [ "nftables.service" ];
      unitConfig.Upholds = "choiros-firewall-watch.service";
      # sandboxes end with this unit: a switch must not restart it
      reloadIfChanged = true;
      startLimitIntervalSec = 0;
      serviceConfig = hardening // {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${run} load";
        ExecReload = "${run} load";
        ExecStopPost = "${run} stopped";
        TimeoutStartSec = 30;
      };
    };
    # whoever needs a sandbox waits for no person
    systemd.timers.choiros-firewall = {
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnUnitInactiveSec = 5;
        AccuracySec = "1s";
      };
    };

    systemd.services.choiros-firewall-watch = {
      description = "Watch over the rules that keep sandboxes apart";
      after = [ "choiros-firewall.service" ];
      partOf = [ "choiros-firewall.service" ];
      onFailure = [ "choiros-unsealed.service" ];
      startLimitIntervalSec = 0;
      serviceConfig = hardening // {
        Type = "notify";
        NotifyAccess = "all";
        ExecStart = "${run} watch";
        # a crash leaves the rules as they are; a failure means that they are gone for good
        Restart = "on-abnormal";
        RestartMode = "direct";
        RestartSec = "100ms";
        WatchdogSec = 30;
      };
    };
    systemd.services.choiros-unsealed = {
      description = "Stop of all sandboxes, because nothing keeps them apart";
      conflicts = [ "choiros-firewall.service" ];
      serviceConfig = import ../lib/hardening.nix // {
        Type = "oneshot";
        ExecStart = "${pkgs.coreutils}/bin/true";
        DynamicUser = true;
        PrivateNetwork = true;
        IPAddressDeny = "any";
      };
    };
  };
}
