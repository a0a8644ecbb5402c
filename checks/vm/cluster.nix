# One of three machines with one store, each a host as the other VM tests are about.
name:
{
  lib,
  pkgs,
  nodes,
  ...
}:
let
  certificates = pkgs.callPackage ./certificates.nix { };
  machines = lib.mapAttrs (_: node: node.networking.primaryIPAddress) {
    a = nodes.machine;
    inherit (nodes) b c;
  };
in
{
  imports = [ ./hosts/plain.nix ];
  environment.etc."machine/key.pem".source = "${certificates}/${name}-key.pem";
  services.choiros.cluster = {
    machine = name;
    address = machines.${name};
    peers = removeAttrs machines [ name ];
    certificateFile = "${certificates}/${name}.pem";
    keyFile = "/etc/machine/key.pem";
    caFile = "${certificates}/machines.pem";
    store = {
      url = "postgres://choiros@db/choiros";
      caFile = "${certificates}/databases.pem";
      networks = [ "${nodes.db.networking.primaryIPAddress}/32" ];
    };
  };
}
