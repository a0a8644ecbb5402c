# How programs run that read what others may have made: as the owner of the folder, and where nothing but that folder, its
# copies and programs are in sight. Whatever link is planted there leads nowhere.
{
  user,
  folder,
  copies,
}:
import ../hardening.nix
// {
  User = user;
  Group = user;
  # an empty root of the unit's own
  RuntimeDirectory = "choiros-view/%N";
  RootDirectory = "/run/choiros-view/%N";
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
  BindPaths = [
    "-${folder}"
    copies
  ];
  NoExecPaths = "-+${folder}";
  PrivateNetwork = true;
  IPAddressDeny = "any";
}
