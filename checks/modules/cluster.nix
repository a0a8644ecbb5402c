{
  on,
  says,
  ...
}:
let
  settings = c: c.systemd.services.choiros-hypervisor.serviceConfig;
  store = c: c.services.choiros.settings.store;
in
{
  "a store in PostgreSQL is what the gateway is told, with a password that the host's users don't see" =
    {
      config = on {
        cluster.store = {
          url = "postgres://choiros@db.example.org/choiros";
          passwordFile = "/run/secrets/store-password";
          networks = [
            "192.0.2.10/32"
            "2001:db8::10/128"
          ];
        };
      };
      expect =
        c:
        (store c).url == "postgres://choiros@db.example.org/choiros"
        && (store c).password_file == "/run/credentials/choiros-hypervisor.service/store-password"
        && builtins.elem "store-password:/run/secrets/store-password" (settings c).LoadCredential
        && builtins.elem "192.0.2.10/32" (settings c).IPAddressAllow
        && builtins.elem "localhost" (settings c).IPAddressAllow
        && builtins.elem "AF_INET6" (settings c).RestrictAddressFamilies
        # its server backs it up; sandboxes' data are backed up here
        && !(c.systemd.services ? choiros-backup-hypervisor)
        && c.systemd.services ? choiros-backup-sandbox-live;
    };
  "without one, the store is a file, and the gateway reaches nothing new" = {
    config = on { };
    expect =
      c:
      !((store c) ? url)
      &&
        (settings c).IPAddressAllow == [
          "localhost"
          "10.233.0.0/16"
        ]
      && !builtins.elem "AF_INET6" (settings c).RestrictAddressFamilies
      && c.systemd.services ? choiros-backup-hypervisor;
  };
  "a server on the host is there before the gateway" = {
    config = on {
      cluster.store.url = "postgres:///choiros?host=/run/postgresql&user=choiros";
    };
    expect =
      c:
      builtins.elem "postgresql.target" c.systemd.services.choiros-hypervisor.after
      &&
        (settings c).IPAddressAllow == [
          "localhost"
          "10.233.0.0/16"
        ];
  };
  "a password in the Nix store is refused" = {
    config = on {
      cluster.store = {
        url = "postgres://choiros@db.example.org/choiros";
        passwordFile = ./cluster.nix;
      };
    };
    fails = "is not in the Nix store";
  };
}
