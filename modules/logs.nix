# What sandboxes log. What one writes to its console is in a journal of the host for all of them:
# `journalctl --namespace=sandboxes -u container@NAME`. What is logged inside stays inside (`journalctl -M NAME`), and is
# told to the hypervisor at a socket.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  hardening = import ./lib/hardening.nix;
  units = import ./lib/units.nix;
  program = pkgs.writeShellApplication {
    name = "choiros-logs";
    runtimeInputs = [
      pkgs.python3
      pkgs.util-linux
      config.systemd.package
    ];
    runtimeEnv = {
      SANDBOXES = toString (map (s: s.name) cfg.sandboxes);
      SLOTS = toString cfg.slots;
    };
    text = "exec python3 ${./programs/logs.py}";
  };
  # the journal of the consoles
  namespace = "sandboxes";
  # no folder of one user's, but root's, for all of them
  view = removeAttrs (units.emptyRoot "choiros-view/logs") [ "RuntimeDirectory" ];
  # to find a sandbox's journal, which is in memory that only its own processes have in sight; given up before it is read
  finding = "CAP_SYS_PTRACE";
  reading = "CAP_DAC_READ_SEARCH";
in
{
  config = lib.mkIf cfg.enable {
    # small, so that sandboxes can't evict the host's own
    environment.etc."systemd/journald@${namespace}.conf".text = ''
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

    systemd.tmpfiles.settings.choiros.${view.RootDirectory}.d.mode = "0755";
    systemd.sockets.choiros-logs = {
      description = "What sandboxes have logged, for the hypervisor";
      wantedBy = [ "sockets.target" ];
      listenStreams = [ "/run/choiros-logs.sock" ];
      socketConfig = {
        SocketUser = "choiros";
        SocketGroup = "choiros";
        SocketMode = "0600";
        Accept = true;
        MaxConnections = 32;
        # no unit of ours gives up
        TriggerLimitIntervalSec = 0;
        PollLimitIntervalSec = 0;
      };
    };
    # Files of a journal are made by whoever runs there, and what reads them is a large program: it runs as a user of its
    # own for each connection, sees nothing of the host but programs, and may do nothing but read.
    systemd.services = {
      "choiros-logs@" = units.order // {
        description = "What a sandbox has logged";
        # a switch cuts nobody off
        restartIfChanged = false;
        serviceConfig =
          hardening
          // view
          // {
            ExecStart = lib.getExe program;
            StandardInput = "socket";
            StandardOutput = "socket";
            StandardError = "journal";
            # who reads one sandbox's journal is none to who reads another's
            DynamicUser = true;
            AmbientCapabilities = [
              finding
              reading
            ];
            CapabilityBoundingSet = [
              finding
              reading
            ];
            PrivateUsers = false;
            BindReadOnlyPaths = view.BindReadOnlyPaths ++ [ "/run/systemd/machines" ];
            # neither a connection nor a name on the host's buses
            RestrictAddressFamilies = "none";
            SystemCallFilter = hardening.SystemCallFilter ++ [
              # for what it gives up
              "capset"
            ];
            # of a journal that was made to take more
            MemoryMax = "256M";
            TasksMax = 16;
            CPUWeight = 20;
            CPUQuota = "50%";
            # whoever still looks asks again
            RuntimeMaxSec = "1h";
            TimeoutStopSec = 2;
            LogRateLimitIntervalSec = "30s";
            LogRateLimitBurst = 20;
          };
      };
    }
    // lib.genAttrs (map (s: "container@${s.name}") cfg.containers) (_: {
      serviceConfig.LogNamespace = namespace;
    });
  };
}
