{ on, says, ... }:
let
  two = on {
    workspaces.notes.index = 2;
    rollout.keepReleases = 3;
  };
  unit = name: c: c.systemd.services.${name};
  all = f: c: builtins.all (s: f c s) c.services.choiros.sandboxes;
in
{
  "releases are there before whatever runs them, and a switch brings them first" = {
    config = two;
    expect =
      c:
      let
        u = unit "choiros-releases" c;
      in
      builtins.all (name: builtins.elem name u.before) [
        "choiros-hypervisor.service"
        "container@sandbox-live.service"
        "container@notes-dev.service"
      ]
      && u.reloadIfChanged
      && u.serviceConfig.ExecReload == u.serviceConfig.ExecStart
      && says u.serviceConfig.ExecStart " /etc/choiros/releases /nix/var/nix/profiles/choiros 3"
      && u.restartTriggers != [ ]
      && builtins.elem "choiros-releases.service" (unit "choiros-hypervisor" c).after;
  };
  "the plan names a closure for each sandbox, with what is deployed last" = {
    config = two;
    expect =
      c:
      let
        plan = c.environment.etc."choiros/releases".text;
      in
      says plan "notes notes-live /nix/store/[^\n]*\nnotes notes-dev /nix/store/[^\n]*\nsandbox sandbox-live /nix/store/";
  };
  "a container runs what its pin says when it starts, and nothing brings another closure into it" = {
    config = two;
    expect = all (
      c: s:
      let
        u = unit "container@${s.name}" c;
        # before anything of NixOS' own
        first = builtins.head (builtins.split "exec " u.script);
      in
      says first "readlink .?/nix/var/nix/profiles/choiros/${s.workspace}/[$]INSTANCE\""
      && says first "export SYSTEM_PATH"
      && u.serviceConfig.ExecReload == [ ]
      && !u.restartIfChanged
      && builtins.elem "choiros-releases.service" u.after
    );
  };
  "a pin is set by root, for one sandbox, from its own workspace" = {
    config = two;
    expect = all (
      c: s:
      let
        u = (unit "choiros-release-${s.name}@" c).serviceConfig;
        folder = "/nix/var/nix/profiles/choiros/${s.workspace}";
      in
      says u.ExecStart " ${folder} ${s.name}:%i$"
      && u.ReadWritePaths == [ folder ]
      && !(u ? User)
      && u.CapabilityBoundingSet == ""
    );
  };
  "a volume is copied by root, who sees the volumes alone, and of other workspaces' nothing" = {
    config = two;
    expect = all (
      c: s:
      let
        u = (unit "choiros-volume-${s.name}@" c).serviceConfig;
        other = if s.workspace == "notes" then "sandbox" else "notes";
      in
      u.RootDirectory == "/run/choiros-view/volume-${s.name}"
      &&
        u.BindPaths == [
          "/var/lib/choiros/sandboxes"
          "/run/choiros-volumes/${s.name}"
          "-/sys/fs/cgroup/machine.slice/container@${s.name}.service"
          "/var/lib/choiros/backups/${s.name}"
        ]
      &&
        u.InaccessiblePaths == [
          "-+/var/lib/choiros/sandboxes/${other}-live"
          "-+/var/lib/choiros/sandboxes/.snapshots/${other}-live"
          "-+/var/lib/choiros/sandboxes/${other}-dev"
          "-+/var/lib/choiros/sandboxes/.snapshots/${other}-dev"
        ]
      && u.NoNewPrivileges
      && u.PrivateNetwork
      && builtins.elem "-+/var/lib/choiros/sandboxes" u.NoExecPaths
      && !(builtins.elem "CAP_SYS_ADMIN" u.CapabilityBoundingSet)
      && !(u ? RestrictSUIDSGID)
      && says u.ExecStopPost " thaw /var/lib/choiros/sandboxes ${s.name}:%i$"
    );
  };
  "snapshots are root's, and what came of an order is for the hypervisor to read" = {
    config = two;
    expect =
      c:
      let
        t = c.systemd.tmpfiles.settings.choiros;
      in
      t."/var/lib/choiros/sandboxes/.snapshots".d.mode == "0700"
      && t."/run/choiros-volumes/notes-live".d.mode == "2750"
      && t."/run/choiros-volumes/notes-live".d.group == "choiros"
      && t."/nix/var/nix/profiles/choiros".d.mode == "0755";
  };
  "the hypervisor knows where releases are, and by which units it asks" = {
    config = two;
    expect =
      c:
      let
        r = c.services.choiros.settings.runtime;
      in
      r.releases_dir == "/nix/var/nix/profiles/choiros"
      && r.release_unit == "choiros-release-{sandbox}@{order}.service"
      && r.volume_unit == "choiros-volume-{sandbox}@{order}.service"
      && r.results_dir == "/run/choiros-volumes";
  };
  "polkit lets the hypervisor start these with orders of their kind, and a fork comes from its own workspace" =
    {
      config = two;
      expect =
        c:
        let
          rules = c.security.polkit.extraConfig;
        in
        says rules ''"\^choiros-release-notes-live@\[1-9]\[0-9]\{0,8}\[.]service\$"''
        && says rules "choiros-volume-notes-dev@\\(list\\|usage\\|recover\\|prune"
        && says rules "replace:\\(notes-live\\|notes-dev\\):"
        && says rules ''if \(verb == "start"\)'';
    };
}
