{ on, says, ... }:
{
  "a sandbox's console has a journal of its own" = {
    config = on { };
    expect =
      c:
      c.systemd.services."container@sandbox-live".serviceConfig.LogNamespace == "sandboxes"
      && says c.environment.etc."systemd/journald@sandboxes.conf".text "SystemMaxUse=64M";
  };
  "what sandboxes have logged is told to the hypervisor alone, by a user of nobody's, who may only read" =
    {
      config = on { };
      expect =
        c:
        let
          socket = c.systemd.sockets.choiros-logs;
          reader = c.systemd.services."choiros-logs@".serviceConfig;
        in
        socket.listenStreams == [ "/run/choiros-logs.sock" ]
        && socket.socketConfig.SocketUser == "choiros"
        && socket.socketConfig.SocketMode == "0600"
        && socket.socketConfig.Accept
        && reader.DynamicUser
        && reader.NoNewPrivileges
        && reader.RootDirectory == "/run/choiros-view/logs"
        && reader.RestrictAddressFamilies == "none"
        && reader.PrivateNetwork
        && !(builtins.elem "/run/dbus" reader.BindReadOnlyPaths)
        &&
          reader.CapabilityBoundingSet == [
            "CAP_SYS_PTRACE"
            "CAP_DAC_READ_SEARCH"
          ];
    };
}
