{ on, ... }:
let
  notes = more: {
    workspaces.notes = {
      index = 2;
    }
    // more;
  };
  web =
    { pkgs, ... }:
    {
      systemd.services.web = {
        wantedBy = [ "multi-user.target" ];
        serviceConfig.User = "sandbox";
        serviceConfig.ExecStart = "${pkgs.darkhttpd}/bin/darkhttpd /data --port 3000";
      };
    };
  own = on {
    workspaces.sandbox.live = {
      config = web;
      port = 3000;
      health.path = "/up";
    };
  };
in
{
  "the default workspace has two containers" = {
    config = on { slots = 0; };
    expect =
      c:
      builtins.attrNames c.containers == [
        "sandbox-dev"
        "sandbox-live"
      ];
  };
  "addresses are those of the plan" = {
    config = on (notes { });
    expect =
      c:
      builtins.mapAttrs (_: k: "${k.hostAddress} ${k.localAddress}") (
        removeAttrs c.containers [ "slots" ]
      ) == {
        sandbox-live = "10.233.1.1 10.233.1.2";
        sandbox-dev = "10.233.2.1 10.233.2.2";
        notes-live = "10.233.3.1 10.233.3.2";
        notes-dev = "10.233.4.1 10.233.4.2";
      };
  };
  "a sandbox has users and a network of its own, and no port of the host's" = {
    config = on { };
    expect =
      c:
      builtins.all (k: k.privateUsers == "pick" && k.privateNetwork && k.forwardPorts == [ ]) (
        builtins.attrValues c.containers
      );
  };
  "live starts with the host, dev when it is asked for" = {
    config = on { };
    expect = c: c.containers.sandbox-live.autoStart && !c.containers.sandbox-dev.autoStart;
  };
  "the inside's systemd waits for no second of mounts" = {
    config = on { };
    expect =
      c:
      builtins.all (k: builtins.elem "--setenv=SYSTEMD_DEFAULT_MOUNT_RATE_LIMIT_BURST=100" k.extraFlags) (
        builtins.attrValues c.containers
      );
  };
  "a switch restarts no sandbox" = {
    config = on { };
    expect =
      c:
      builtins.all (name: !c.systemd.services."container@${name}".restartIfChanged) (
        builtins.attrNames c.containers
      );
  };
  "/data is a folder of the host with mapped ids, there before the container" = {
    config = on { };
    expect = c: [
      {
        name = "bind";
        ok =
          c.containers.sandbox-live.bindMounts."/data:idmap".hostPath
          == "/var/lib/choiros/sandboxes/sandbox-live";
      }
      {
        name = "writable";
        ok = !c.containers.sandbox-live.bindMounts."/data:idmap".isReadOnly;
      }
      {
        name = "owner";
        ok =
          c.systemd.tmpfiles.settings.choiros."/var/lib/choiros/sandboxes/sandbox-live".d.user
          == "choiros-sandbox";
      }
      {
        name = "order";
        ok =
          builtins.elem "systemd-tmpfiles-setup.service"
            c.systemd.services."container@sandbox-live".after;
      }
    ];
  };
  "/data has one owner on both sides" = {
    config = on { };
    expect =
      c:
      c.containers.sandbox-dev.config.users.users.sandbox.uid == c.users.users.choiros-sandbox.uid
      && c.containers.sandbox-dev.config.users.groups.sandbox.gid == c.users.groups.choiros-sandbox.gid;
  };
  "the inside has the host's packages, its overlays included" = {
    config = {
      imports = [
        (on {
          workspaces.sandbox.live.config = { pkgs, ... }: {
            environment.etc.marker.text = pkgs.choirosMarker;
          };
        })
      ];
      nixpkgs.overlays = [ (_: _: { choirosMarker = "of the host"; }) ];
    };
    expect = c: c.containers.sandbox-live.config.environment.etc.marker.text == "of the host";
  };
  "an inside with a nixpkgs configuration of its own keeps that" = {
    config = on {
      workspaces.sandbox.live.config = {
        nixpkgs.config.allowUnfree = true;
      };
    };
    expect = c: c.containers.sandbox-live.config.nixpkgs.config.allowUnfree;
  };
  "our sandbox service is told from outside who it is, and is no root" = {
    config = on { };
    expect =
      c:
      let
        s = c.containers.sandbox-dev.config.systemd.services.sandbox;
        told = builtins.filter (
          flag: builtins.substring 0 9 flag == "--setenv="
        ) c.containers.sandbox-dev.extraFlags;
        names = map (flag: builtins.head (builtins.match "--setenv=([A-Z_]+)=.*" flag)) told;
      in
      builtins.all (flag: builtins.elem "--setenv=${flag}" told) [
        "SANDBOX_NAME=sandbox-dev"
        "SANDBOX_INSTANCE_ROLE=dev"
        "SANDBOX_LISTEN=0.0.0.0:8080"
        "SANDBOX_DATA_DIR=/data"
        "PORT=8080"
        "DATA_DIR=/data"
      ]
      && builtins.all (
        name: builtins.elem name (names ++ [ "SANDBOX_RELEASE" ])
      ) s.serviceConfig.PassEnvironment
      && !(s.environment ? SANDBOX_NAME)
      && s.serviceConfig.User == "sandbox";
  };
  "nothing inside tells live from dev" = {
    config = on {
      workspaces.notes = {
        index = 2;
        port = 3000;
        config = web;
      };
    };
    expect =
      c:
      builtins.all
        (
          workspace:
          let
            inside = role: c.containers."${workspace}-${role}".config;
            said =
              role:
              builtins.toJSON [
                (map (u: u.text) (builtins.attrValues (inside role).systemd.units))
                (inside role).networking.hostName
                (inside role).networking.interfaces
                (inside role).system.name
              ];
          in
          said "live" == said "dev"
          && (inside "live").networking.hostName == ""
          && (inside "live").networking.interfaces == { }
        )
        [
          "sandbox"
          "notes"
        ];
  };
  "what is said of a workspace counts for both, and what is said of one for that one" = {
    config =
      { pkgs, ... }:
      {
        imports = [
          (on {
            workspaces.sandbox = {
              package = pkgs.hello;
              port = 3000;
              health.path = "/up";
              health.status = 204;
              identity = false;
              dev.port = 4000;
            };
          })
        ];
      };
    expect =
      c:
      let
        w = c.services.choiros.settings.workspaces.sandbox;
      in
      w.live == {
        address = "10.233.1.2:3000";
        health_path = "/up";
        health_status = 204;
        identity = false;
      }
      && w.dev == w.live // { address = "10.233.2.2:4000"; }
      && builtins.elem "--setenv=PORT=4000" c.containers.sandbox-dev.extraFlags
      &&
        baseNameOf c.containers.sandbox-dev.config.systemd.services.sandbox.serviceConfig.ExecStart
        == "hello";
  };
  "a workspace's own service names no sandbox of ours, unless it says that it does" = {
    config = on {
      workspaces.sandbox.config = web;
      workspaces.notes = {
        index = 2;
        config = web;
        identity = true;
      };
    };
    expect =
      c:
      let
        w = c.services.choiros.settings.workspaces;
      in
      !w.sandbox.live.identity
      && !w.sandbox.dev.identity
      && w.notes.live.identity
      && w.notes.dev.identity;
  };
  "the inside is small" = {
    config = on { };
    expect =
      c:
      let
        inside = c.containers.sandbox-live.config;
      in
      !inside.nix.enable
      && !inside.documentation.enable
      && !inside.security.sudo.enable
      && !inside.systemd.services.console-getty.enable
      && inside.environment.defaultPackages == [ ];
  };
  "who may reach the internet can resolve its names" = {
    config = on { workspaces.sandbox.egress = "internet"; };
    expect = c: c.containers.sandbox-live.config.networking.nameservers != [ ];
  };
  "a stranger's web service stands in for ours" = {
    config = own;
    expect =
      c:
      let
        inside = c.containers.sandbox-live.config.systemd.services;
      in
      inside ? web && !(inside ? sandbox);
  };
  "the gateway asks a stranger's service for no name of ours" = {
    config = own;
    expect =
      c:
      c.services.choiros.settings.workspaces.sandbox.live == {
        address = "10.233.1.2:3000";
        health_path = "/up";
        identity = false;
      }
      && c.services.choiros.settings.workspaces.sandbox.dev.identity;
  };
  "a stranger's service may answer as ours does" = {
    config = on {
      workspaces.sandbox.live = {
        config = web;
        identity = true;
      };
    };
    expect = c: c.services.choiros.settings.workspaces.sandbox.live.identity;
  };
  "another package of the sandbox service, for all or for one" = {
    config =
      { pkgs, ... }:
      {
        imports = [
          (on {
            sandboxPackage = pkgs.hello;
            workspaces.sandbox.dev.package = pkgs.jq;
          })
        ];
      };
    expect =
      c:
      let
        start =
          name: baseNameOf c.containers.${name}.config.systemd.services.sandbox.serviceConfig.ExecStart;
      in
      start "sandbox-live" == "hello" && start "sandbox-dev" == "jq";
  };
  "members reach the gateway" = {
    config = on (notes {
      members = [ "ada@example.org" ];
    });
    expect = c: c.services.choiros.settings.workspaces.notes.members == [ "ada@example.org" ];
  };

  "a workspace without an index is told which is free" = {
    config = on { workspaces.notes = { }; };
    fails = "Set its index = 2, and keep it.";
  };
  "two workspaces with one address are refused" = {
    config = on { workspaces.notes.index = 1; };
    fails = "notes and sandbox have one index, and so the same addresses";
  };
  "an index beyond the address plan is refused" = {
    config = on { workspaces.notes.index = 128; };
    fails = "between 1 and 127";
  };
  "a person may be a member of several workspaces" = {
    config = on {
      workspaces.sandbox.members = [ "Ada@example.org" ];
      workspaces.notes = {
        index = 2;
        members = [ "ada@example.org" ];
      };
    };
    expect =
      c:
      c.services.choiros.settings.workspaces.sandbox.members == [ "Ada@example.org" ]
      && c.services.choiros.settings.workspaces.notes.members == [ "ada@example.org" ];
  };
  "what a workspace may be called is the hypervisor's to judge" = {
    config = on { workspaces."9x".index = 2; };
    expect = c: c.services.choiros.settings.workspaces ? "9x";
  };
  "a name that its interface has no room for is refused" = {
    config = on { workspaces.nextcloud.index = 2; };
    fails = "Use a name of at most 7 characters.";
  };
  "a misspelt option is refused" = {
    config = on { workspaces.sandbox.memorymax = "1G"; };
    fails = "does not exist";
  };
  "a size without sense is refused" = {
    config = on { workspaces.sandbox.memoryMax = "lots"; };
    fails = "number of bytes, with K, M, G or T";
  };
  "a port that would be any is refused" = {
    config = on { workspaces.sandbox.live.port = 0; };
    fails = "port from 1 to 65535";
  };
  "how a service says that it is well reaches the gateway, and nothing unless it is said" = {
    config = on {
      workspaces.sandbox.live.health = {
        status = 401;
        host = "localhost:3000";
      };
    };
    expect =
      c:
      let
        w = c.services.choiros.settings.workspaces.sandbox;
      in
      w.live.health_status == 401
      && w.live.health_host == "localhost:3000"
      && !(w.dev ? health_status)
      && !(w.dev ? health_host);
  };
  "how a sandbox is asked for its health is the hypervisor's to judge" = {
    config = on {
      workspaces.sandbox.live.health = {
        path = "up";
        status = 2000;
        host = "http://localhost/";
      };
    };
    expect =
      c:
      let
        inherit (c.services.choiros.settings.workspaces.sandbox) live;
      in
      live.health_path == "up" && live.health_status == 2000 && live.health_host == "http://localhost/";
  };
}
