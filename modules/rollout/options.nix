{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.services.choiros.rollout = {
    swap = mkOption {
      type = types.enum [
        "manual"
        "automatic"
      ];
      default = "manual";
      example = "automatic";
      description = "What follows when a switch has brought a new version to a workspace's dev sandbox: nothing, so that someone looks at it and calls `hypervisor swap`; or a swap as soon as dev is healthy, taken back if live isn't healthy for the whole of `probationSecs`.";
    };

    probationSecs = mkOption {
      type = types.ints.positive;
      default = 30;
      example = 300;
      description = "Seconds after an automatic swap for which live must stay healthy.";
    };
  };
}
