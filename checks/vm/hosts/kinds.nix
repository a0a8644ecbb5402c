# A host of containers with a deployment to come that is a microVM.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  dev = lib.findFirst (s: s.name == "sandbox-dev") null cfg.sandboxes;
  inside = (import ../../../modules/inside).system { inherit config pkgs; };
in
{
  imports = [
    ./releases.nix
    ../emulated.nix
  ];
  services.choiros.microvm.enable = true;
  containers.at-microvm = {
    autoStart = false;
    config = inside (
      dev
      // {
        settings = dev.settings // {
          isolation = "microvm";
        };
      }
    );
  };
}
