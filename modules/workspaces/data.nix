# Each sandbox's /data on the host, with the owner that it has inside.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  folder = s: {
    ${s.data}.d = {
      mode = "0700";
      user = toString s.options.uid;
      group = toString s.options.uid;
    };
  };
in
{
  config = lib.mkIf cfg.enable {
    systemd.tmpfiles.settings.choiros = {
      "/var/lib/choiros".d.mode = "0755";
      "/var/lib/choiros/sandboxes".d.mode = "0755";
    }
    // lib.mergeAttrsList (map folder cfg.sandboxes);
  };
}
