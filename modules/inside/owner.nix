# The user `sandbox`, whom /data belongs to, and where its programs find names.
sandbox:
{ lib, pkgs, ... }:
let
  inherit (import ../lib/plan.nix { inherit lib; }) ids;
  # what has the id of another workspace's sandboxes
  others =
    kind:
    let
      between = first: last: "-${kind} +${toString (first - 1)} -${kind} -${toString (last + 1)}";
    in
    ''\( -${kind} ${toString ids.sandbox} -o ${
      between (ids.workspaces + 1) (ids.workspaces + ids.mostWorkspaces)
    } -o ${between (ids.slots + 1) (ids.slots + ids.mostSlots)} \) ! -${kind} "$id"'';
  renamed = kind: owner: ''
    if [ -n "$(find /data -mindepth 1 -maxdepth 1 ${others kind} -print -quit)" ]; then
      find /data -mindepth 1 -depth ${others kind} -exec chown -h "${owner}" {} +
    fi
  '';
in
{
  users.users.sandbox = {
    isSystemUser = true;
    uid = sandbox.id;
    group = "sandbox";
    home = "/data";
  };
  users.groups.sandbox.gid = sandbox.id;

  # Who owns /data. Slots share one closure, so the user `sandbox` has its id from what is told at the start; and files
  # that another workspace's sandboxes wrote (from an archive, or in a release in which all had one id) become its own.
  # They are renamed from in here, where no link leads to the host; what lies on top comes last, so that a cut run is
  # taken up again.
  systemd.services.data-owner = {
    description = "Owner of /data";
    wantedBy = [ "sysinit.target" ];
    before = [
      "sysinit.target"
      "systemd-tmpfiles-setup.service"
    ];
    after = [
      "local-fs.target"
      "systemd-sysusers.service"
      "userborn.service"
    ];
    path = [
      pkgs.findutils
      pkgs.gnused
    ];
    unitConfig.DefaultDependencies = false;
    serviceConfig = {
      Type = "oneshot";
      PassEnvironment = "SANDBOX_ID";
    };
    script = ''
      id=''${SANDBOX_ID:-${toString sandbox.id}}
      if [ "$(id -u sandbox)" != "$id" ]; then
        sed -i "s/^sandbox:\([^:]*\):[0-9]*:[0-9]*:/sandbox:\1:$id:$id:/" /etc/passwd
        sed -i "s/^sandbox:\([^:]*\):[0-9]*:/sandbox:\1:$id:/" /etc/group
      fi
      ${renamed "uid" "$id"}
      ${renamed "gid" ":$id"}
    '';
  };

  networking.nameservers = lib.mkIf (sandbox.settings.egress == "internet") (
    # public ones: the host's own may be in a private network, where sandboxes don't get
    lib.mkDefault [
      "9.9.9.9"
      "1.1.1.1"
    ]
  );
}
