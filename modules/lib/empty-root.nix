# An empty root of a unit's own, for programs that read what others have made: nothing of the host is in sight but
# programs, and what the unit binds in. Whatever link is planted there leads nowhere.
root: {
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
  PrivateNetwork = true;
  IPAddressDeny = "any";
}
