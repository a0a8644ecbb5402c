# What units of ours have in common, beyond ./hardening.nix.
rec {
  # One that is started for an order, as often as somebody gives one. Each has a name of its own: one that failed has said
  # so to whoever waited for it, and isn't kept.
  order = {
    startLimitIntervalSec = 0;
    unitConfig.CollectMode = "inactive-or-failed";
  };

  # settings of a service that speaks to nobody
  offline = {
    PrivateNetwork = true;
    IPAddressDeny = "any";
  };

  # An empty root of a service's own, for programs that read what others have made: nothing of the host is in sight but
  # programs, and what the unit binds in. Whatever link is planted there leads nowhere.
  emptyRoot =
    root:
    offline
    // {
      RuntimeDirectory = root;
      RootDirectory = "/run/${root}";
      MountAPIVFS = true;
      PrivateMounts = true;
      ReadOnlyPaths = "+/";
      BindReadOnlyPaths = [
        "-${builtins.storeDir}"
        # where programs are on a host that has them there
        "-/usr"
        "-/bin"
        "-/lib"
        "-/lib64"
      ];
    };
}
