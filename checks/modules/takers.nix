# For `reckoned`: whether anything takes the ports of the ingress, on a host that is `host` and each of several more.
lib: host:
let
  takers =
    more:
    import ../../modules/lib/ingress-ports.nix {
      inherit lib;
      config =
        lib.foldl' lib.recursiveUpdate
          {
            services = { };
            containers = { };
            security.acme.certs = { };
            systemd.sockets = { };
            virtualisation.oci-containers.containers = { };
          }
          [
            host
            more
          ];
    };
in
expected:
lib.mapAttrsToList (
  name: more: {
    name = "${name}: ${toString (takers more)}";
    ok = (takers more != [ ]) == expected;
  }
)
