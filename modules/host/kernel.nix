# What a container needs of the host's kernel and settings.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  truthy = v: lib.elem (toString v) [ "1" ];
  sysctl = config.boot.kernel.sysctl;
  outward = lib.filter (w: w.egress != "none" && w.egress != [ ]) (
    map (s: s.settings) cfg.containers
  );
in
{
  config = lib.mkIf cfg.enable {
    # loaded while loading is allowed: security.lockKernelModules forbids it once the host is up, and dev starts later
    boot.kernelModules = [ "veth" ];

    assertions = [
      {
        assertion = config.boot.enableContainers;
        message = "boot.enableContainers is off, but sandboxes are containers. Leave it out.";
      }
      {
        assertion =
          config.security.allowUserNamespaces && toString (sysctl."user.max_user_namespaces" or 1) != "0";
        message = "security.allowUserNamespaces is off, or boot.kernel.sysctl.\"user.max_user_namespaces\" is 0, but each sandbox has users of its own by a user namespace. Leave it on.";
      }
      {
        assertion =
          outward != [ ]
          -> lib.all (name: !(sysctl ? ${name}) || truthy sysctl.${name}) [
            "net.ipv4.ip_forward"
            "net.ipv4.conf.all.forwarding"
          ];
        message = "boot.kernel.sysctl.\"net.ipv4.ip_forward\" or \"net.ipv4.conf.all.forwarding\" is off, so the `egress` of a workspace leads nowhere. Leave it out, or set services.choiros.workspaces.<name>.egress = \"none\".";
      }
    ];
  };
}
