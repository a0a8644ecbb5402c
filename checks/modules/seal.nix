# What seals a sandbox, where a test on a host can't see that it is always so.
{ on, with', ... }:
let
  three = on {
    workspaces.notes.index = 2;
    workspaces.web = {
      index = 3;
      egress = "internet";
    };
    workspaces.lab = {
      index = 4;
      egress = [ "198.51.100.0/24" ];
    };
  };
  unit = c: name: c.systemd.services."container@${name}";
  all = f: c: builtins.all (s: f c s) c.services.choiros.sandboxes;
  volume = options: {
    fileSystems."/var/lib/choiros/sandboxes" = {
      device = "/dev/disk/by-label/data";
      fsType = "xfs";
      inherit options;
    };
  };
in
{
  # one host for all of these: it has eight sandboxes, each with an inside to evaluate
  "sandboxes of four workspaces are sealed" = {
    config = three;
    expect = c: [
      {
        name = "each workspace's data has an id of its own, on both sides";
        ok =
          (
            c:
            all (
              c: s:
              c.users.users.${s.user}.uid == s.id
              && c.containers.${s.name}.config.users.users.sandbox.uid == s.id
              && c.systemd.tmpfiles.settings.choiros.${s.data}.d.user == s.user
            ) c
            &&
              map (s: s.id) c.services.choiros.sandboxes == [
                3004
                3004
                3002
                3002
                2990
                2990
                3003
                3003
              ]
          )
            c;
      }
      {
        name = "data of another workspace is given its own id, and who it is comes from outside";
        ok = all (
          c: s:
          c.containers.${s.name}.config.systemd.services ? data-owner
          && builtins.elem "--setenv=SANDBOX_ID=${toString s.id}" c.containers.${s.name}.extraFlags
        ) c;
      }
      {
        name = "no sandbox without the rules, and each with a second wall";
        ok =
          (all (
            c: s:
            (unit c s.name).bindsTo == [ "choiros-firewall.service" ]
            && builtins.elem "choiros-firewall.service" (unit c s.name).after
            && (unit c s.name).serviceConfig ? IPAddressDeny
          ))
            c;
      }
      {
        name = "the second wall lets through what egress names";
        ok =
          (
            c:
            let
              s = name: (unit c name).serviceConfig;
              near = n: [
                "localhost"
                "10.233.${n}.1"
                "10.233.${n}.2"
              ];
            in
            (s "notes-live").IPAddressDeny == "any"
            && (s "notes-live").IPAddressAllow == near "3"
            && (s "lab-live").IPAddressDeny == "any"
            && (s "lab-live").IPAddressAllow == near "7" ++ [ "198.51.100.0/24" ]
            && builtins.elem "169.254.0.0/16" (s "web-live").IPAddressDeny
            && (s "web-live").IPAddressAllow == near "5"
          )
            c;
      }
      {
        name = "a root that is new at each start, a store that can't be listed, and no Nix of the host's";
        ok =
          (all (
            c: s:
            c.containers.${s.name}.ephemeral
            && builtins.all (flag: builtins.elem flag c.containers.${s.name}.extraFlags) [
              "--volatile=overlay"
              "--overlay-ro=+/nix/store:/run/choiros-unlisted:/nix/store"
              "--inaccessible=/nix/var/nix/daemon-socket"
              "--inaccessible=/nix/var/nix/db"
              "--inaccessible=/nix/var/nix/gcroots"
              "--inaccessible=/nix/var/nix/profiles"
            ]
            && c.systemd.tmpfiles.settings.choiros."/run/choiros-unlisted".d.mode == "0711"
          ))
            c;
      }
    ];
  };
  "the host's Nix is for its administrators" = {
    config = on { };
    expect =
      c:
      c.nix.settings.sandbox
      &&
        c.nix.settings.allowed-users == [
          "root"
          "@wheel"
        ];
  };
  "data is where no other user gets, without set-uid programs and devices" = {
    config = on { };
    expect =
      c:
      c.systemd.tmpfiles.settings.choiros."/var/lib/choiros/sandboxes".d.mode == "0700"
      && builtins.any (
        m: m.where == "/var/lib/choiros/sandboxes" && m.options == "bind,nosuid,nodev"
      ) c.systemd.mounts;
  };
  "a volume of the host's own needs no mount of ours" = {
    config = with' (volume [
      "nosuid"
      "nodev"
    ]) { };
    expect = c: !(builtins.any (m: m.where == "/var/lib/choiros/sandboxes") c.systemd.mounts);
  };
  "a volume with set-uid programs is refused" = {
    config = with' (volume [ "nodev" ]) { };
    fails = "Add \"nosuid\" and \"nodev\" to fileSystems.\"/var/lib/choiros/sandboxes\".options.";
  };
  "a switch never stops what sandboxes are bound to" = {
    config = on { };
    expect =
      c:
      c.systemd.services.choiros-firewall.reloadIfChanged
      && c.services.choiros.settings.runtime.seal_file == "/run/choiros-seal/state";
  };
}
