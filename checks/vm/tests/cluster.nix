let
  host = name: {
    imports = [
      (import ../cluster.nix name)
      ../vm.nix
    ];
  };
in
{
  nodes = {
    # the one that the scripts of all tests know
    machine = host "a";
    b = host "b";
    c = host "c";
    db.imports = [ ../database.nix ];
    client.imports = [ ../client.nix ];
  };
}
