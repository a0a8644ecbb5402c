# Slots: what is said of them once, for however many there are.
{
  evaluate,
  on,
  with',
  says,
  ...
}:
let
  count = set: builtins.length (builtins.attrNames set);
  # how much there is of all that a build walks through
  size = c: {
    services = count c.systemd.services;
    units = count c.systemd.units;
    containers = count c.containers;
    users = count c.users.users;
    files = count c.environment.etc;
    folders = count c.systemd.tmpfiles.settings.choiros;
    mounts = builtins.length c.systemd.mounts;
    settings = builtins.stringLength (builtins.toJSON c.services.choiros.settings);
    rules = builtins.stringLength c.networking.nftables.tables.choiros.content;
  };
  refused = settings: fails: {
    config = on settings;
    inherit fails;
  };
  private = network: more: with' more { inherit network; };
in
{
  "a thousand slots are as many units, containers, users, files and rules as one" = {
    config = on { slots = 1000; };
    expect =
      c:
      size c == size (
        evaluate (on {
          slots = 1;
        })
      );
  };
  "the gateway is told what it asks of which unit, and where the list of slots is" = {
    config = on {
      slot = {
        health.path = "/up";
        identity = false;
      };
    };
    expect =
      c:
      c.services.choiros.settings.slots == {
        table = "${c.services.choiros.slotFiles}/table";
        unit = "choiros-slot@{slot}.service";
        release_unit = "choiros-slot-release@{sandbox}:{order}.service";
        volume_unit = "choiros-slot-volume-{slot}@{sandbox}:{order}.service";
        health_path = "/up";
        identity = false;
      };
  };
  "a host without slots has nothing of them" = {
    config = on { slots = 0; };
    expect =
      c:
      !(c.containers ? slots)
      && !(c.systemd.services ? "choiros-slot@")
      && !(c.environment.etc ? "systemd/system.attached")
      && !(says c.environment.etc."choiros/releases".text "slots ")
      && !(c.services.choiros.settings ? slots)
      && !(c.systemd.services ? choiros-rollout-slots)
      && says c.security.polkit.extraConfig ''"units":\[]'';
  };
  "slots have what declared sandboxes have, and the container that they are made from can't be started" =
    {
      config = on {
        slot = {
          memoryMax = "512M";
          tasksMax = 99;
          egress = [ "198.51.100.0/24" ];
        };
      };
      expect =
        c:
        let
          unit = c.systemd.services."container@slots";
          s = unit.serviceConfig;
          declared = c.systemd.services."container@sandbox-dev";
        in
        [
          {
            name = "never started";
            ok =
              !unit.enable
              && !c.environment.etc."nixos-containers/slots.conf".enable
              && !c.containers.slots.autoStart
              && unit.wantedBy == [ ];
          }
          {
            name = "the same walls";
            ok =
              c.containers.slots.extraFlags
              == builtins.filter (
                flag: builtins.match "--setenv=(SANDBOX|PORT|DATA).*" flag == null
              ) c.containers.sandbox-dev.extraFlags
              && c.containers.slots.ephemeral
              && c.containers.slots.privateUsers == "pick"
              && unit.bindsTo == declared.bindsTo
              && unit.requires == declared.requires
              && builtins.elem "/var/lib/choiros/slots" unit.unitConfig.RequiresMountsFor
              && s.LogNamespace == "sandboxes"
              && s.ExecReload == [ ];
          }
          {
            name = "limits of their own, and no way to addresses that aren't the slot's own";
            ok =
              s.MemoryMax == "512M"
              && s.TasksMax == 99
              && s.IPAddressDeny == "any"
              &&
                s.IPAddressAllow == [
                  "localhost"
                  "198.51.100.0/24"
                ];
          }
          {
            name = "told by the unit's name who they are, and by no file that others write";
            ok =
              s.EnvironmentFile == "/etc/choiros/slots.conf"
              && says unit.script "--bind=/var/lib/choiros/slots/[$]SLOT/[$]INSTANCE:/data:idmap"
              && says unit.script "--setenv=SANDBOX_ID=[$]SANDBOX_ID";
          }
          {
            name = "of what egress names, one rule for all";
            ok = says c.networking.nftables.tables.choiros.content "iifname @slots ip daddr \\{ 198.51.100.0/24 } accept";
          }
        ];
    };
  "orders about a slot's volumes see that slot alone" = {
    config = on { };
    expect =
      c:
      let
        unit = c.systemd.services."choiros-slot-volume@";
        s = unit.serviceConfig;
      in
      !unit.enable
      &&
        s.BindPaths == [
          "/var/lib/choiros/slots/%j"
          "/var/lib/choiros/archives"
          "/run/choiros-volumes/s%j-live"
          "/run/choiros-volumes/s%j-dev"
          "-/run/choiros-streams/s%j-live"
          "-/run/choiros-streams/s%j-dev"
          "-/sys/fs/cgroup/machine.slice/container@s%j-live.service"
          "-/sys/fs/cgroup/machine.slice/container@s%j-dev.service"
          "/var/lib/choiros/backups/s%j-live"
          "/var/lib/choiros/backups/s%j-dev"
        ]
      && unit.environment.SANDBOXES == "s%j-live s%j-dev"
      && says s.ExecStart " order /var/lib/choiros/slots/%j %i --results /run/choiros-volumes --archives /var/lib/choiros/archives --streams /run/choiros-streams$"
      && says s.ExecStopPost " thaw /var/lib/choiros/slots/%j %i$"
      && s.NoNewPrivileges
      &&
        c.systemd.services."choiros-slot-release@".serviceConfig.ReadWritePaths == [
          "/nix/var/nix/profiles/choiros/slots"
        ];
  };
  "polkit lets the hypervisor start what is a slot's, with its number, and no more than there are" = {
    config = on { slots = 40; };
    expect =
      c:
      says c.security.polkit.extraConfig "<= 40;"
      && says c.security.polkit.extraConfig "choiros-slot-volume-\\(\\[1-9]\\[0-9]\\{0,3}\\)@s[\\][\\]1-\\(live\\|dev\\):"
      && says c.security.polkit.extraConfig "replace:\\(s[\\][\\]1-live\\|s[\\][\\]1-dev\\):";
  };
  "the data of slots is where no other user gets, without set-uid programs and devices, and is backed up" =
    {
      config = on { };
      expect =
        c:
        c.systemd.tmpfiles.settings.choiros."/var/lib/choiros/slots".d.mode == "0700"
        && builtins.any (
          m: m.where == "/var/lib/choiros/slots" && m.options == "bind,nosuid,nodev"
        ) c.systemd.mounts
        && c.systemd.services.choiros-backup-slots.startAt == [ "hourly" ];
    };

  # -- names and numbers

  "more slots than there are addresses are refused" = refused {
    slots = 300;
    network = "10.9.8.0/22";
  } "10.9.8.0/22 has addresses for 126 slots, and not for 300";
  "more slots than there are ids are refused" = refused { slots = 8001; } "between 0 and 8000";
  "as many as there are ids have addresses" = {
    config = on {
      slots = 8000;
      workspaces.last.index = 127;
    };
    expect = c: c.services.choiros.slots == 8000;
  };
  "a workspace called as a slot is the hypervisor's to refuse" = {
    config = on { workspaces.s17.index = 2; };
    expect = c: c.services.choiros.settings.workspaces ? s17;
  };
  "a workspace that is called almost as a slot is welcome" = {
    config = on { workspaces.s17a.index = 2; };
    expect = c: c.containers ? s17a-live;
  };

  # -- the network

  "sandboxes have their addresses from the network that is set" = {
    config = private "172.20.16.0/20" { };
    expect =
      c:
      c.containers.sandbox-live.localAddress == "172.20.17.2"
      && c.containers.sandbox-dev.hostAddress == "172.20.18.1"
      && builtins.elem "172.20.16.0/20" c.systemd.services.choiros-hypervisor.serviceConfig.IPAddressAllow
      && says c.systemd.services.choiros-addresses.description "free";
  };
  "an index that the network has no room for is refused" = refused {
    network = "10.9.8.0/22";
    workspaces.notes.index = 2;
  } "10.9.8.0/22 has addresses for workspaces with an index of at most 1, and one has 2";
  "a network that is none, too narrow, too wide, or begins elsewhere is refused" = refused {
    network = "10.9.8.4/22";
  } "IPv4 network of /16 to /22";
  "a narrow network in the host's own is refused" = {
    config = private "10.1.4.0/22" {
      networking.interfaces.eth0.ipv4.addresses = [
        {
          address = "10.1.9.4";
          prefixLength = 16;
        }
      ];
    };
    fails = "networking.interfaces.eth0.ipv4: 10.1.9.4/16 overlaps 10.1.4.0/22";
  };
  "Docker's network is refused, unless Docker has another" = {
    config = private "172.17.0.0/16" { virtualisation.docker.enable = true; };
    fails = "virtualisation.docker.enable: 172.17.0.0/16 overlaps 172.17.0.0/16";
  };
  "Docker elsewhere is welcome" = {
    config = private "172.17.0.0/16" {
      virtualisation.docker = {
        enable = true;
        daemon.settings.bip = "192.168.7.1/24";
      };
    };
    expect = c: c.containers.sandbox-live.localAddress == "172.17.1.2";
  };
}
