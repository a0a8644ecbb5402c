# A host with deployments to come: their closures are in its store, and /etc/deployments names them. What a test deploys
# stays over a reboot.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  host = { inherit config pkgs; };
  dev = lib.findFirst (s: s.name == "sandbox-dev") null config.services.choiros.sandboxes;
  service =
    if dev.options.config != null then
      dev.options.config
    else
      import ../../../modules/inside/service.nix host dev;
  # what dev runs, with more where the service is
  inside =
    more:
    (import ../../../modules/inside).system host (
      dev
      // {
        options = dev.options // {
          config.imports = [ service ] ++ more;
        };
      }
    );
  # what each has that what is running has not
  deployments = {
    # of a host from before there were releases: live's own, with its name and address in it
    before = {
      networking = {
        hostName = "sandbox-live";
        interfaces = lib.mkForce {
          eth0.ipv4.addresses = [
            {
              address = "10.233.1.2";
              prefixLength = 32;
            }
          ];
        };
      };
      systemd.services.sandbox.environment = {
        SANDBOX_LISTEN = "0.0.0.0:8080";
        SANDBOX_NAME = "sandbox-live";
        SANDBOX_INSTANCE_ROLE = "live";
        SANDBOX_DATA_DIR = "/data";
      };
    };
    next = { };
    later = { };
    # serves, and isn't well: nobody reaches it
    sick.systemd.services.sandbox.environment.SANDBOX_LISTEN = "127.0.0.1:8080";
  };
  plan = pkgs.writeText "plan" config.environment.etc."choiros/releases".text;
in
{
  imports = [ ./plain.nix ];
  services.choiros.workspaces.team.index = 2;

  # never started: they are there to be built
  containers = lib.mapAttrs' (
    name: more:
    lib.nameValuePair "at-${name}" {
      autoStart = false;
      config = inside [
        { system.name = name; }
        more
      ];
    }
  ) deployments;
  environment.etc = {
    deployments.text = lib.concatMapStrings (
      name: "${lib.removePrefix "at-" name} ${config.containers.${name}.path}\n"
    ) (lib.filter (lib.hasPrefix "at-") (lib.attrNames config.containers));
    "choiros/releases".source = lib.mkForce "/var/lib/deployed";
  };
  systemd.tmpfiles.rules = [ "C /var/lib/deployed 0644 - - - ${plan}" ];
}
