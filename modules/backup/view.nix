# How programs run that read a folder: as its owner, and where nothing but that folder, its copies and programs are in sight.
{
  user,
  folder,
  copies,
}:
import ../lib/hardening.nix
// import ../lib/empty-root.nix "choiros-view/%N"
// {
  User = user;
  Group = user;
  BindPaths = [
    "-${folder}"
    copies
  ];
  NoExecPaths = "-+${folder}";
}
