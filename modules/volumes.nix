# Copies of the sandboxes' data: snapshots, and what is made of them. `choiros-volume-<sandbox>@<order>` is what the
# hypervisor asks of a sandbox's volume; of one of a slot's, `choiros-slot-volume-<number>@<sandbox>:<order>`.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  units = import ./lib/units.nix;
  volumes = import ./lib/volumes.nix { inherit lib config pkgs; };
  inherit (import ./lib/plan.nix { inherit lib; }) folders;
  unit =
    v: name: order: more:
    lib.recursiveUpdate
      (lib.recursiveUpdate units.order (volumes.unit v order " --results ${folders.results}${more}"))
      {
        description = "Volume of ${name}: %i";
        # it is told there
        serviceConfig.StandardOutput = "null";
      };
in
{
  config = lib.mkIf cfg.enable {
    systemd.services =
      lib.listToAttrs (
        map (
          s:
          lib.nameValuePair "choiros-volume-${s.name}@" (unit (volumes.ofSandbox s) s.name "${s.name}:%i" "")
        ) cfg.sandboxes
      )
      // lib.optionalAttrs (cfg.slots > 0) {
        # only its text is used, below the names of slots
        "choiros-slot-volume@" =
          unit volumes.ofSlot "slot %j" "%i" " --archives ${folders.archives} --streams ${folders.streams}"
          // {
            enable = false;
          };
      };
    systemd.tmpfiles.settings.choiros = {
      ${folders.snapshots}.d.mode = "0700";
      ${folders.results}.d.mode = "0755";
    }
    // lib.optionalAttrs (cfg.slots > 0) {
      ${folders.archives}.d.mode = "0700";
      # a slot's own one, in there, is the gateway's
      ${folders.streams}.d.mode = "0755";
    }
    // lib.listToAttrs (
      map (
        s:
        lib.nameValuePair "${folders.results}/${s.name}" {
          # what it writes there belongs to the hypervisor's group
          d = {
            mode = "2750";
            group = "choiros";
          };
        }
      ) cfg.sandboxes
    );
  };
}
