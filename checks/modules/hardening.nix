{ on, ... }:
let
  sealed =
    s:
    s.NoNewPrivileges
    && s.ProtectSystem == "strict"
    && s.CapabilityBoundingSet == ""
    && s.User != "root"
    && s.SystemCallArchitectures == "native";
in
{
  "every unit of ours is sealed" = {
    config = on { metricsTokenFile = "/run/secrets/metrics-token"; };
    expect =
      c:
      map
        (name: {
          inherit name;
          ok = sealed c.systemd.services.${name}.serviceConfig;
        })
        [
          "choiros-hypervisor"
          "choiros-rollout"
          "choiros-backup-hypervisor"
        ]
      ++ [
        {
          name = "sandbox";
          ok = sealed c.containers.sandbox-live.config.systemd.services.sandbox.serviceConfig;
        }
      ];
  };
  "so is what stands in Caddy's place" = {
    config = on {
      domain = "choir.test";
      ingress = {
        kind = "gateway";
        internalCa = true;
      };
    };
    expect =
      c:
      builtins.all (name: sealed c.systemd.services.${name}.serviceConfig) [
        "choiros-hypervisor"
        "choiros-certificate"
      ];
  };
}
