# What units of ours have in common, beyond ./hardening.nix.
rec {
  # one that the hypervisor starts, as often as it wants: each order has a name of its own, and one that failed has said so,
  # and isn't kept
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
