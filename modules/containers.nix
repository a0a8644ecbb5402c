# A container for each sandbox: users of its own, a network of its own, and no way out but its end of a wire.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (import ./lib/plan.nix { inherit lib; }) folders;
  wall = import ./lib/wall.nix { inherit lib; };
  identity = import ./lib/identity.nix { inherit lib; };
  inside = (import ./inside).system { inherit config pkgs; };
  # a folder that nobody inside may list
  unlisted = "/run/choiros-unlisted";

  container = s: {
    # the other is started by the request that needs it
    autoStart = s.role == "live";
    # a switch leaves both alone: what each runs is its release
    restartIfChanged = false;
    privateNetwork = true;
    inherit (s) hostAddress;
    localAddress = s.address;
    privateUsers = "pick";
    # `idmap` has no option of its own: without it the files would be nobody's inside
    bindMounts = lib.mkIf (!s.shared) {
      "/data:idmap" = {
        hostPath = s.data;
        isReadOnly = false;
      };
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
    # a slot's are told at its start
    ++ lib.optionals (!s.shared) (
      identity.flags {
        inherit (s) name role id;
        inherit (s.options) port;
      }
    )
    # systemd looks at new mounts five times a second at most, and starts no mount unit meanwhile
    # (systemd#28264): while it boots inside, that is most of a second in which nothing happens
    ++ [ "--setenv=SYSTEMD_DEFAULT_MOUNT_RATE_LIMIT_BURST=100" ];
    config = inside s;
  };

  # of a slot, that nobody has pinned yet
  newest = s: ''
    if [ -z "$pinned" ]; then
      number=0
      for link in ${s.releases}/release-*-link; do
        link=''${link##*/release-} link=''${link%-link}
        if [[ $link =~ ^[1-9][0-9]{0,8}$ ]] && [ "$link" -gt "$number" ]; then number=$link; fi
      done
    fi
  '';

  unit = s: {
    # without the rules that keep it apart, no sandbox runs
    bindsTo = [ "choiros-firewall.service" ];
    after = [
      "choiros-firewall.service"
    ]
    # the folder that /data is bound from
    ++ folders.madeBy
    ++ [ "choiros-releases.service" ];
    # what was pinned before runs, if nothing can be pinned now
    wants = [ "choiros-releases.service" ];
    # Its release, as of this moment, and whoever starts it. NixOS would take the newest closure, or what lies in a
    # profile that the inside can write. Whether it may start at all was looked at before (`mkBefore`).
    script = lib.mkOrder 600 ''
      pinned=$(readlink "${s.releases}/$INSTANCE" || true)
      number=''${pinned#release-} number=''${number%-link}
      ${lib.optionalString s.shared (newest s)}SYSTEM_PATH=$(readlink -e "${s.releases}/release-$number-link" || true)
      if [ -z "$SYSTEM_PATH" ]; then
        echo "$INSTANCE has no release: ${s.releases}/$INSTANCE leads nowhere; see journalctl -u choiros-releases" >&2
        exit 1
      fi
      export SYSTEM_PATH
      EXTRA_NSPAWN_FLAGS="''${EXTRA_NSPAWN_FLAGS-} --setenv=SANDBOX_RELEASE=$number"
      # which closure runs, whatever it is pinned to later
      echo "$SYSTEM_PATH" > "${folders.running}/$INSTANCE"
    '';
    serviceConfig = {
      # it would bring the newest closure into what runs
      ExecReload = lib.mkForce [ ];
    }
    // wall.unit s;
  };

  forEach =
    named: value: lib.listToAttrs (map (s: lib.nameValuePair (named s.name) (value s)) cfg.containers);
in
{
  config = lib.mkIf cfg.enable {
    containers = forEach lib.id container;
    systemd.services = forEach (name: "container@${name}") unit;
    systemd.tmpfiles.settings.choiros = {
      ${folders.running}.d.mode = "0755";
      ${unlisted}.d.mode = "0711";
      # the roots of sandboxes, and those that sandboxes of older releases have written to
      "/run/nixos-containers".d.mode = "0700";
      "/var/lib/nixos-containers".d.mode = "0700";
    };
    # whoever speaks to the Nix daemon fills the host's store, and has programs run
    nix.settings = {
      sandbox = lib.mkDefault true;
      allowed-users = lib.mkDefault [
        "root"
        "@wheel"
      ];
    };
  };
}
