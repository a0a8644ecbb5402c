# Where the gateway's accounts, sessions and routes are, if that is not a file of this host; and what makes it one of
# several machines that have them in common.
{
  lib,
  config,
  options,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  inherit (cfg) cluster;
  inherit (cluster) store machine;
  choirosTypes = import ./lib/types.nix { inherit lib; };
  networks = import ./lib/networks.nix { inherit lib; };
  ssh = import ./lib/ssh.nix { inherit lib config; };
  isSet = import ./lib/is-set.nix { inherit lib; };
  credentials = "/run/credentials/choiros-hypervisor.service";

  isV6 = lib.any choirosTypes.isV6;
  place =
    address:
    "${if choirosTypes.isV6 address then "[${address}]" else address}:${toString cluster.port}";
  peers = lib.attrValues cluster.peers;

  # what the others need of a machine
  needed = [
    "address"
    "certificateFile"
    "keyFile"
    "caFile"
  ];
  missing = lib.filter (name: cluster.${name} == null) needed;
  unused = lib.filter (name: isSet options.services.choiros.cluster.${name}) (
    needed
    ++ [
      "peers"
      "port"
    ]
  );
  isMember = machine != null && missing == [ ];

  addresses = lib.optional (cluster.address != null) cluster.address ++ peers;
  twice = lib.filter (address: lib.count (other: other == address) addresses > 1) addresses;
  inside = lib.filter (
    address:
    let
      v4 = networks.v4 address;
    in
    v4 != null && networks.overlap v4 (networks.v4 cfg.network)
  ) addresses;
in
{
  options.services.choiros.cluster = {
    machine = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "a";
      description = "What this host is called among several machines that share `store.url`, each with a gateway and sandboxes of its own. People may come to any of them: a request is carried to the machine that has the workspace. Without it, there is but one.";
    };

    address = mkOption {
      type = types.nullOr choirosTypes.address;
      default = null;
      example = "10.0.0.1";
      description = "The address of this host at which the other machines reach its gateway, and from which it comes to them.";
    };

    port = mkOption {
      type = choirosTypes.port;
      default = 9443;
      example = 9444;
      description = "The port at which the gateways reach each other, the same on all machines. It is open to the addresses of `peers` alone.";
    };

    peers = mkOption {
      type = types.attrsOf choirosTypes.address;
      default = { };
      example = {
        b = "10.0.0.2";
        c = "10.0.0.3";
      };
      description = "The addresses of the other machines, by what they are called.";
    };

    certificateFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = "/run/secrets/machine.pem";
      description = "This machine's certificate, followed by those between it and `caFile`, in PEM. It names the machine by the URI `spiffe://<your domain>/machine/<machine>`, in a domain that all have. A renewed one is taken up, together with its key, when `choiros-hypervisor` is restarted.";
    };

    keyFile = mkOption {
      type = types.nullOr choirosTypes.secretFile;
      default = null;
      example = "/run/secrets/machine.key";
      description = "Its private key, in PEM.";
    };

    caFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "./machines-ca.pem";
      description = "The root that issues the machines' certificates, in PEM. It has to issue nothing else: whoever has a certificate of it speaks for a machine.";
    };

    listen = mkOption {
      type = types.nullOr types.str;
      default = if isMember then place cluster.address else null;
      readOnly = true;
      internal = true;
      description = "Where the gateway listens for those of other machines; nowhere, if there is but one.";
    };

    store = {
      url = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "postgres://choiros@db.example.org:5432/choiros";
        description = "A PostgreSQL database (14 or newer) that has accounts, sessions, routes and audit instead of a file. One gateway uses it at a time, unless each has a `machine`. Over a network it is reached by TLS alone. Its backups are its server's.";
      };

      passwordFile = mkOption {
        type = types.nullOr choirosTypes.secretFile;
        default = null;
        example = "/run/secrets/store-password";
        description = "A file with the password for `url`, if one is needed.";
      };

      caFile = mkOption {
        type = types.nullOr types.path;
        default = null;
        example = lib.literalExpression "./database-ca.pem";
        description = "The roots, as a PEM file, that the certificate of the server leads to. Without it, those that the host trusts.";
      };

      networks = mkOption {
        type = types.listOf choirosTypes.cidr;
        default = [ ];
        example = [ "192.0.2.10/32" ];
        description = "Where the server is: the gateway reaches nothing else but the host itself, the sandboxes and the other machines.";
      };

      graceSecs = mkOption {
        type = types.ints.unsigned;
        default = 600;
        example = 0;
        description = "For how many seconds people who are logged in go on while the server is out of reach: ten minutes, unless you say otherwise. With 0 they get 503 within two seconds, so that nobody goes on whom another machine has locked out meanwhile.";
      };
    };
  };

  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      {
        assertions = [
          {
            assertion = machine == null -> unused == [ ];
            message = "services.choiros.cluster.${lib.head unused} is about several machines, and nothing says which of them this is. Set services.choiros.cluster.machine, or remove it.";
          }
          {
            assertion = machine != null -> store.url != null;
            message = "services.choiros.cluster.machine: machines know each other by the store that they share, and that of ${toString machine} is a file. Set services.choiros.cluster.store.url.";
          }
          {
            assertion = machine != null -> missing == [ ];
            message = "services.choiros.cluster.${lib.head missing}: without it the other machines don't reach ${toString machine}. Set it, or remove services.choiros.cluster.machine.";
          }
          {
            assertion = machine != null -> !cluster.peers ? ${machine};
            message = "services.choiros.cluster.peers: ${toString machine} is this machine. Name the others alone.";
          }
          {
            assertion = twice == [ ];
            message = "services.choiros.cluster: ${lib.head twice} is the address of two machines. Give each its own in services.choiros.cluster.address and peers.";
          }
          {
            assertion = inside == [ ];
            message = "services.choiros.cluster: ${lib.head inside} lies in ${cfg.network}, which is the sandboxes' network. Give the machine another address, or set services.choiros.network to one that is free.";
          }
          {
            assertion =
              machine != null
              -> !lib.elem cluster.port (
                [
                  80
                  443
                ]
                ++ ssh.ports
              );
            message = "services.choiros.cluster.port: ${toString cluster.port} is taken by services.choiros.ingress or services.openssh.ports. Give all machines another, such as 9443.";
          }
        ];
      }

      (lib.mkIf (store.url != null) {
        services.choiros.settings.store = lib.mapAttrs (_: lib.mkDefault) (
          {
            inherit (store) url;
            grace_secs = store.graceSecs;
          }
          // lib.optionalAttrs (store.passwordFile != null) {
            password_file = "${credentials}/store-password";
          }
          // lib.optionalAttrs (store.caFile != null) {
            ca_file = "${store.caFile}";
          }
        );

        systemd.services.choiros-hypervisor = {
          # where it is on this host
          after = [ "postgresql.target" ];
          serviceConfig = {
            IPAddressAllow = store.networks;
            RestrictAddressFamilies = lib.optional (isV6 store.networks) "AF_INET6";
            LoadCredential = lib.optional (store.passwordFile != null) "store-password:${store.passwordFile}";
          };
        };
      })

      (lib.mkIf isMember {
        services.choiros.settings.cluster = lib.mapAttrsRecursive (_: lib.mkDefault) {
          inherit machine;
          address = cluster.listen;
          peers = lib.mapAttrs (_: place) cluster.peers;
          cert = "${credentials}/machine-certificate";
          key = "${credentials}/machine-key";
          ca = "${cluster.caFile}";
        };

        systemd.services.choiros-hypervisor.serviceConfig = {
          IPAddressAllow = map networks.single peers;
          RestrictAddressFamilies = lib.optional (isV6 peers) "AF_INET6";
          # the two are copied at once, so that none is ever without the other
          LoadCredential = [
            "machine-certificate:${cluster.certificateFile}"
            "machine-key:${cluster.keyFile}"
          ];
        };
      })
    ]
  );
}
