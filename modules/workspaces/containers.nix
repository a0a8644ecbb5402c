# A container for each sandbox: users of its own, a network of its own, and no way out but its end of a wire.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  container = s: {
    # the other is started by the request that needs it
    autoStart = s.role == "live";
    # a deployment reaches the sandbox that is dev, by choiros-rollout; a switch leaves both alone
    restartIfChanged = false;
    privateNetwork = true;
    inherit (s) hostAddress;
    localAddress = s.address;
    privateUsers = "pick";
    # `idmap` has no option of its own: without it the files would be nobody's inside
    bindMounts."/data:idmap" = {
      hostPath = s.data;
      isReadOnly = false;
    };
    # systemd looks at new mounts five times a second at most, and starts no mount unit meanwhile
    # (systemd#28264): while it boots inside, that is most of a second in which nothing happens
    extraFlags = [ "--setenv=SYSTEMD_DEFAULT_MOUNT_RATE_LIMIT_BURST=100" ];
    config.imports = [
      (import ./nixpkgs.nix pkgs)
      (import ./inside.nix {
        inherit (config.system) stateVersion;
        inherit (cfg.workspaces.${s.workspace}) egress;
      })
      (if s.options.config == null then import ./sandbox.nix s else s.options.config)
    ];
  };
  unit =
    s:
    let
      workspace = cfg.workspaces.${s.workspace};
    in
    {
      # the folder that /data is bound from, at boot and when a switch brings a new sandbox
      after = [
        "systemd-tmpfiles-setup.service"
        "systemd-tmpfiles-resetup.service"
      ];
      # which closure runs, for choiros-rollout
      postStart = ''
        echo "$SYSTEM_PATH" > "/run/choiros-sandboxes/$INSTANCE"
      '';
      serviceConfig = {
        MemoryMax = workspace.memoryMax;
        TasksMax = workspace.tasksMax;
      };
    };
  forEach =
    value:
    lib.listToAttrs (
      map (s: lib.nameValuePair (value s).name (value s).value) (lib.optionals cfg.enable cfg.sandboxes)
    );
in
{
  containers = forEach (s: lib.nameValuePair s.name (container s));
  systemd.services = forEach (s: lib.nameValuePair "container@${s.name}" (unit s));
  systemd.tmpfiles.settings = lib.mkIf cfg.enable {
    choiros."/run/choiros-sandboxes".d.mode = "0755";
  };
}
