{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.services.choiros.rollout = {
    kind = mkOption {
      type = types.enum [
        "manual"
        "promote"
      ];
      default = "manual";
      example = "promote";
      description = "What follows when a switch has brought a workspace a new release, and dev has it: nothing, so that someone looks at it and calls `hypervisor promote`; or a promotion, rehearsed on a fork of live's data, and taken back if live isn't healthy for the whole of `probationSecs`. Live keeps its release and its data in either case, until it is promoted.";
    };

    probationSecs = mkOption {
      type = types.ints.positive;
      default = 30;
      example = 300;
      description = "Seconds after such a promotion for which live must stay healthy.";
    };

    keepReleases = mkOption {
      type = types.ints.positive;
      default = 10;
      example = 30;
      description = "How many of a workspace's newest releases are kept from garbage collection. What a sandbox runs, and what it ran before, is kept in any case.";
    };

    swap = mkOption {
      type = types.raw;
      default = null;
      visible = false;
      description = "What was there before `kind`.";
    };
  };
}
