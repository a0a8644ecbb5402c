# Each sandbox's /data on the host, with the owner that it has inside, where no other user of the host gets.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (import ../lib/plan.nix { inherit lib; }) folders;
  root = folders.sandboxes;
  # where the data of declared sandboxes and of slots are, and what slots had in them
  roots = [
    root
  ]
  ++ lib.optionals (cfg.slots > 0) [
    folders.slots
    folders.archives
  ];
  mounted = lib.filter (root: config.fileSystems ? ${root}) roots;
  folder = s: {
    ${s.data}.d = {
      mode = "0700";
      inherit (s) user;
      group = s.user;
    };
  };
in
{
  config = lib.mkIf cfg.enable {
    users.users = lib.listToAttrs (
      map (
        s:
        lib.nameValuePair s.user {
          isSystemUser = true;
          group = s.user;
          uid = s.id;
        }
      ) cfg.sandboxes
    );
    users.groups = lib.listToAttrs (map (s: lib.nameValuePair s.user { gid = s.id; }) cfg.sandboxes);

    # Root inside a sandbox is root in the files that it leaves in /data: set-uid programs and devices are of no use
    # here, whoever comes by
    systemd.mounts = map (root: {
      description = "Sandboxes' data, without set-uid programs and devices";
      what = root;
      where = root;
      type = "none";
      options = "bind,nosuid,nodev";
      wantedBy = [ "local-fs.target" ];
      before = [ "local-fs.target" ];
    }) (lib.subtractLists mounted roots);
    assertions = map (root: {
      assertion = lib.all (o: lib.elem o config.fileSystems.${root}.options) [
        "nosuid"
        "nodev"
      ];
      message = "services.choiros: what a sandbox leaves in ${root} could be a set-uid program of root's. Add \"nosuid\" and \"nodev\" to fileSystems.\"${root}\".options.";
    }) mounted;

    systemd.tmpfiles.settings.choiros = {
      "/var/lib/choiros".d.mode = "0755";
      ${root}.d.mode = "0700";
      # the roots of sandboxes, and those that sandboxes of older releases have written to
      "/run/nixos-containers".d.mode = "0700";
      "/var/lib/nixos-containers".d.mode = "0700";
    }
    // lib.mergeAttrsList (map folder cfg.sandboxes);
  };
}
