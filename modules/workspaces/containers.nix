# A container for each sandbox: users of its own, a network of its own, and no way out but its end of a wire.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  # a folder that nobody inside may list
  unlisted = "/run/choiros-unlisted";
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
    # The start script works in the root as the host's root, and would follow what the inside has planted there: so
    # it makes a new one each time, and what the inside writes lies in memory above it, never in it.
    ephemeral = true;
    extraFlags = [
      "--volatile=overlay"
      # The store's paths are there for who knows their names, as a program's own closure does, and can't be listed:
      # other workspaces' names, systems and files are none of the inside's business.
      "--overlay-ro=+/nix/store:${unlisted}:/nix/store"
    ]
    # NixOS binds these into every container: the Nix daemon would build for it in the host's name and network
    ++ map (folder: "--inaccessible=/nix/var/nix/${folder}") [
      "daemon-socket"
      "db"
      "gcroots"
      "profiles"
    ]
    # systemd looks at new mounts five times a second at most, and starts no mount unit meanwhile
    # (systemd#28264): while it boots inside, that is most of a second in which nothing happens
    ++ [ "--setenv=SYSTEMD_DEFAULT_MOUNT_RATE_LIMIT_BURST=100" ];
    config.imports = [
      (import ./nixpkgs.nix pkgs)
      (import ./guest.nix {
        inherit (config.system) stateVersion;
        inherit (cfg.workspaces.${s.workspace}) egress;
        inherit (s) id;
      })
      (if s.options.config == null then import ./sandbox.nix s else s.options.config)
    ];
  };
  unit =
    s:
    let
      workspace = cfg.workspaces.${s.workspace};
      near = [
        "localhost"
        s.hostAddress
        s.address
      ];
      # a second wall behind the firewall's rules, of another make
      reach =
        if workspace.egress == "internet" then
          { IPAddressDeny = (import ../firewall/private.nix) ++ [ "::/0" ]; }
        else
          { IPAddressDeny = "any"; };
    in
    {
      # without the rules that keep it apart, no sandbox runs
      bindsTo = [ "choiros-firewall.service" ];
      after = [
        "choiros-firewall.service"
        # the folder that /data is bound from, at boot and when a switch brings a new sandbox
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
        IPAddressAllow = near ++ lib.optionals (lib.isList workspace.egress) workspace.egress;
      }
      // reach;
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
    choiros = {
      "/run/choiros-sandboxes".d.mode = "0755";
      ${unlisted}.d.mode = "0711";
    };
  };
  # whoever speaks to the Nix daemon fills the host's store, and has programs run
  nix.settings = lib.mkIf cfg.enable {
    sandbox = lib.mkDefault true;
    allowed-users = lib.mkDefault [
      "root"
      "@wheel"
    ];
  };
}
