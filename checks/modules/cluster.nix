{
  on,
  with',
  ending,
  ...
}:
let
  settings = c: c.systemd.services.choiros-hypervisor.serviceConfig;
  store = c: c.services.choiros.settings.store;
  socket = c: c.systemd.sockets.choiros-hypervisor-gateway;
  # one of three machines, with these changes
  member = changes: {
    cluster = {
      store.url = "postgres://choiros@db.example.org/choiros";
      machine = "a";
      address = "10.0.0.1";
      peers = {
        b = "10.0.0.2";
        c = "10.0.0.3";
      };
      certificateFile = "/run/secrets/machine.pem";
      keyFile = "/run/secrets/machine.key";
      caFile = "/etc/machines-ca.pem";
    }
    // changes;
  };
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
  "ten minutes go by without the server before people do, unless someone says otherwise" = {
    config = on { cluster.store.url = "postgres://choiros@db.example.org/choiros"; };
    expect = c: (store c).grace_secs == 600;
  };
  "a host may ask for no grace" = {
    config = on {
      cluster.store = {
        url = "postgres://choiros@db.example.org/choiros";
        graceSecs = 0;
      };
    };
    expect = c: (store c).grace_secs == 0;
  };
  "a key of the settings comes before what follows from the options" = {
    config = on (member { } // { settings.store.grace_secs = 30; });
    expect = c: (store c).grace_secs == 30;
  };
  "one of several machines is told its name, its address, its certificate and where the others are" =
    {
      config = on (member { });
      expect =
        c:
        c.services.choiros.settings.cluster == {
          machine = "a";
          address = "10.0.0.1:9443";
          peers = {
            b = "10.0.0.2:9443";
            c = "10.0.0.3:9443";
          };
          cert = "/run/credentials/choiros-hypervisor.service/machine-certificate";
          key = "/run/credentials/choiros-hypervisor.service/machine-key";
          ca = "/etc/machines-ca.pem";
        };
    };
  "its certificate and its key are copied for the gateway together, beside other secrets" = {
    config = on (member { } // { metricsTokenFile = "/run/secrets/metrics-token"; });
    expect =
      c:
      builtins.all (credential: builtins.elem credential (settings c).LoadCredential) [
        "machine-certificate:/run/secrets/machine.pem"
        "machine-key:/run/secrets/machine.key"
        "metrics-token:/run/secrets/metrics-token"
      ];
  };
  "it reaches the other machines, and no more of the world than before" = {
    config = on (member { });
    expect =
      c:
      (settings c).IPAddressDeny == "any"
      &&
        builtins.sort builtins.lessThan (settings c).IPAddressAllow == [
          "10.0.0.2/32"
          "10.0.0.3/32"
          "10.233.0.0/16"
          "localhost"
        ]
      && !builtins.elem "AF_INET6" (settings c).RestrictAddressFamilies;
  };
  "systemd listens for the others at the machine's address, and lets nobody else in" = {
    config = on (member { });
    expect =
      c:
      let
        unit = c.systemd.services.choiros-hypervisor;
        has = builtins.elem "choiros-hypervisor-gateway.socket";
      in
      [
        {
          name = "there, before the address is";
          ok = (socket c).listenStreams == [ "10.0.0.1:9443" ] && (socket c).socketConfig.FreeBind;
        }
        {
          name = "by the name that the gateway knows it by, for the one service";
          ok =
            (socket c).socketConfig.FileDescriptorName == "gateway"
            && (socket c).socketConfig.Service == "choiros-hypervisor.service"
            && (socket c).wantedBy == [ "sockets.target" ];
        }
        {
          name = "the others alone";
          ok =
            (socket c).socketConfig.IPAddressDeny == "any"
            &&
              (socket c).socketConfig.IPAddressAllow == [
                "10.0.0.2/32"
                "10.0.0.3/32"
              ];
        }
        {
          name = "the service waits for it";
          ok = has unit.requires && has unit.after;
        }
        {
          name = "beside Caddy's";
          ok = c.systemd.sockets ? choiros-hypervisor;
        }
      ];
  };
  "it is one more socket of a gateway that ends TLS" = {
    config = with' { security.acme.acceptTerms = true; } (ending.gateway { } // member { });
    expect =
      c:
      builtins.all (name: c.systemd.sockets ? ${name}) [
        "choiros-hypervisor-gateway"
        "choiros-hypervisor-http"
        "choiros-hypervisor-https"
        "choiros-hypervisor-http-redirect"
      ];
  };
  "machines may know each other by IPv6, and at another port" = {
    config = on (member {
      port = 9444;
      address = "fd00::1";
      peers.b = "fd00::2";
    });
    expect =
      c:
      (socket c).listenStreams == [ "[fd00::1]:9444" ]
      && c.services.choiros.settings.cluster.peers.b == "[fd00::2]:9444"
      && builtins.elem "fd00::2/128" (settings c).IPAddressAllow
      && builtins.elem "AF_INET6" (settings c).RestrictAddressFamilies;
  };
  "a first machine has no others yet" = {
    config = on (member {
      peers = { };
    });
    expect =
      c:
      c.services.choiros.settings.cluster.peers == { }
      && (socket c).socketConfig.IPAddressDeny == "any"
      && (socket c).socketConfig.IPAddressAllow == [ ];
  };
  "a host that is the only one listens for no others" = {
    config = on { cluster.store.url = "postgres://choiros@db.example.org/choiros"; };
    expect =
      c: !(c.services.choiros.settings ? cluster) && !(c.systemd.sockets ? choiros-hypervisor-gateway);
  };
  "other machines of one that has no name are refused" = {
    config = on { cluster.peers.b = "10.0.0.2"; };
    fails = "services.choiros.cluster.peers is about several machines, and nothing says which of them this is";
  };
  "a machine whose store is a file of its own is refused" = {
    config = on (member {
      store = { };
    });
    fails = "services.choiros.cluster.machine: machines know each other by the store that they share, and that of a is a file";
  };
  "a machine without an address is refused" = {
    config = on (member {
      address = null;
    });
    fails = "services.choiros.cluster.address: without it the other machines don't reach a";
  };
  "a machine without a certificate is refused" = {
    config = on (member {
      certificateFile = null;
    });
    fails = "services.choiros.cluster.certificateFile: without it";
  };
  "a machine without a key is refused" = {
    config = on (member {
      keyFile = null;
    });
    fails = "services.choiros.cluster.keyFile: without it";
  };
  "a machine that would know the others by nothing is refused" = {
    config = on (member {
      caFile = null;
    });
    fails = "services.choiros.cluster.caFile: without it";
  };
  "a machine among its own peers is refused" = {
    config = on (member {
      peers = {
        a = "10.0.0.4";
        b = "10.0.0.2";
      };
    });
    fails = "services.choiros.cluster.peers: a is this machine";
  };
  "two machines with one address are refused" = {
    config = on (member {
      peers = {
        b = "10.0.0.2";
        c = "10.0.0.1";
      };
    });
    fails = "services.choiros.cluster: 10.0.0.1 is the address of two machines";
  };
  "a machine where the sandboxes are is refused" = {
    config = on (member {
      peers.b = "10.233.0.5";
    });
    fails = "services.choiros.cluster: 10.233.0.5 lies in 10.233.0.0/16, which is the sandboxes' network";
  };
  "a port that is the world's is refused" = {
    config = on (member {
      port = 443;
    });
    fails = "services.choiros.cluster.port: 443 is taken";
  };
  "a machine is where an address is, and not a name or a network" = {
    config = on (member {
      peers.b = "10.0.0.2/32";
    });
    fails = "IPv4 or IPv6 address such as";
  };
  "a machine's key in the Nix store is refused" = {
    config = on (member {
      keyFile = ./cluster.nix;
    });
    fails = "is not in the Nix store";
  };
}
