# Each sandbox's /data on the host, with the owner that it has inside.
{ lib, config, ... }:
let
  ids = import ../ids.nix;
  cfg = config.services.choiros;
  folder = s: {
    ${s.data}.d = {
      mode = "0700";
      user = "choiros-sandbox";
      group = "choiros-sandbox";
    };
  };
in
{
  config = lib.mkIf cfg.enable {
    users.users.choiros-sandbox = {
      isSystemUser = true;
      group = "choiros-sandbox";
      uid = ids.sandbox;
    };
    users.groups.choiros-sandbox.gid = ids.sandbox;

    systemd.tmpfiles.settings.choiros = {
      "/var/lib/choiros".d.mode = "0755";
      "/var/lib/choiros/sandboxes".d.mode = "0755";
    }
    // lib.mergeAttrsList (map folder cfg.sandboxes);
  };
}
