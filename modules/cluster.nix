# Where the gateway's accounts, sessions and routes are, if that is not a file of this host.
{
  lib,
  config,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.choiros;
  inherit (cfg.cluster) store;
  choirosTypes = import ./lib/types.nix { inherit lib; };
in
{
  options.services.choiros.cluster.store = {
    url = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "postgres://choiros@db.example.org:5432/choiros";
      description = "A PostgreSQL database (14 or newer) that has accounts, sessions, routes and audit instead of a file. One gateway uses it at a time. Over a network it is reached by TLS alone. Its backups are its server's.";
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
      description = "Where the server is: the gateway reaches nothing else but the host itself and the sandboxes.";
    };
  };

  config = lib.mkIf (cfg.enable && store.url != null) {
    services.choiros.settings.store = {
      inherit (store) url;
    }
    // lib.optionalAttrs (store.passwordFile != null) {
      password_file = "/run/credentials/choiros-hypervisor.service/store-password";
    }
    // lib.optionalAttrs (store.caFile != null) {
      ca_file = "${store.caFile}";
    };

    systemd.services.choiros-hypervisor = {
      # where it is on this host
      after = [ "postgresql.target" ];
      serviceConfig = {
        IPAddressAllow = store.networks;
        RestrictAddressFamilies = lib.optional (lib.any choirosTypes.isV6 store.networks) "AF_INET6";
        LoadCredential = lib.optional (store.passwordFile != null) "store-password:${store.passwordFile}";
      };
    };
  };
}
