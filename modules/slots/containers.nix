# The containers of slots are instances of one that is never started itself: each has its addresses and its id from a
# few lines of its own (files.nix), and all else from here.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  slots = (import ../lib/plan.nix { inherit lib; }).slots cfg;
  flags = import ../lib/identity.nix { inherit lib; };
  identity = flags {
    name = "$INSTANCE";
    role = "\${INSTANCE##*-}";
    id = "$SANDBOX_ID";
    inherit (cfg.slot) port;
  };
in
{
  config = lib.mkIf (cfg.enable && cfg.slots > 0) {
    systemd.services."container@slots" = {
      # only its text is used, below other names
      enable = false;
      # as NixOS has it for what it binds itself: not without the mount that denies set-uid programs and devices there
      unitConfig.RequiresMountsFor = [ slots.folder ];
      script = lib.mkBefore ''
        if [ ! -d "${slots.folder}/$SLOT/$INSTANCE" ]; then
          echo "$INSTANCE has no volume: systemctl start choiros-slot@$SLOT makes it" >&2
          exit 1
        fi
        EXTRA_NSPAWN_FLAGS="''${EXTRA_NSPAWN_FLAGS-} --bind=${slots.folder}/$SLOT/$INSTANCE:/data:idmap ${toString identity}"
      '';
      # NixOS' is for the container of that very name, and would let one that someone makes by hand change a slot's
      serviceConfig.EnvironmentFile = lib.mkForce "/etc/choiros/slots.conf";
    };
    environment.etc = {
      "choiros/slots.conf".text = config.environment.etc."nixos-containers/slots.conf".text;
      "nixos-containers/slots.conf".enable = false;
    };
  };
}
