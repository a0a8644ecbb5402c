# The gateway itself: its program, its unit, and the sockets that systemd binds for it, so that it needs no capability for
# low ports, and so that they hold while it is replaced and no connection is refused.
{
  lib,
  config,
  pkgs,
  ...
}:
let
  cfg = config.services.choiros;
  inherit (import ./lib/plan.nix { inherit lib; }) folders ids;
  choirosTypes = import ./lib/types.nix { inherit lib; };
  file = "choiros/hypervisor.toml";
  # the operator's command, which knows where the socket is
  command = pkgs.writeShellScriptBin "hypervisor" ''
    exec ${lib.getExe cfg.package} --config /etc/${file} "$@"
  '';

  networks = import ./lib/networks.nix { inherit lib; };

  # what each of them is for, the hypervisor knows by its name
  socket = name: streams: more: {
    description = "ChoirOS hypervisor's socket for ${name}";
    wantedBy = [ "sockets.target" ];
    listenStreams = map toString streams;
    socketConfig = {
      Service = "choiros-hypervisor.service";
      FileDescriptorName = name;
      Backlog = 4096;
      NoDelay = true;
      # no unit of ours gives up
      TriggerLimitIntervalSec = 0;
    }
    // more;
  };
  inherit (cfg.settings.server) listen;
  # whatever net.ipv6.bindv6only says
  world.BindIPv6Only = "both";
  # A switch starts and stops units, but leaves a socket that runs as it is, whatever became of its unit: the kinds of
  # ingress share no name.
  ingress =
    if cfg.ingress.kind == "caddy" then
      {
        choiros-hypervisor = socket "http" [ listen cfg.ingress.socket ] {
          # who connects there is believed about the client's address: Caddy, and no other user of the host
          SocketGroup = config.services.caddy.group;
          SocketMode = "0660";
        };
      }
    else
      {
        choiros-hypervisor-https = socket "https" [ 443 ] world;
        choiros-hypervisor-http-redirect = socket "http-redirect" [ 80 ] world;
        # for the host itself: its health, its metrics
        choiros-hypervisor-http = socket "http" [ listen ] { };
      };
  between = lib.optionalAttrs (cfg.cluster.listen != null) {
    choiros-hypervisor-gateway = socket "gateway" [ cfg.cluster.listen ] {
      # at boot it is bound before the host has that address
      FreeBind = true;
      # whatever the firewall says; what is set for the service doesn't hold for a socket that it is given
      IPAddressDeny = "any";
      IPAddressAllow = map networks.single (lib.attrValues cfg.cluster.peers);
    };
  };
  units = map (name: "${name}.socket") (lib.attrNames (ingress // between));
  # what they were called before: a switch from there goes on listening
  named = name: unit: unit // { aliases = [ "${lib.removePrefix "choiros-" name}.socket" ]; };
in
{
  options.services.choiros = {
    package = lib.mkPackageOption pkgs "choiros-hypervisor" {
      example = "inputs.choiros.packages.x86_64-linux.hypervisor";
    };

    metricsTokenFile = lib.mkOption {
      type = lib.types.nullOr choirosTypes.secretFile;
      default = null;
      example = "/run/secrets/metrics-token";
      description = "A file with the bearer token that opens `/metrics` beyond loopback. If it is missing at run time, `/metrics` stays closed and nothing else changes.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.etc.${file}.source = cfg.configFile;
    environment.systemPackages = [
      command
      # its manual pages and completions, without a program that would ask for --config
      (pkgs.buildEnv {
        name = "hypervisor-manual";
        paths = [ cfg.package ];
        pathsToLink = [ "/share" ];
      })
    ];
    system.build.hypervisor = command;

    users.users.choiros = {
      isSystemUser = true;
      group = "choiros";
      uid = ids.hypervisor;
    };
    users.groups.choiros.gid = ids.hypervisor;

    systemd.sockets = lib.mapAttrs named ingress // between;
    systemd.services.choiros-hypervisor = {
      description = "ChoirOS hypervisor";
      # what it was called before; a switch from there finds it running
      aliases = [ "hypervisor.service" ];
      wantedBy = [ "multi-user.target" ];
      requires = units;
      after = [
        "network.target"
        "choiros-firewall.service"
        "choiros-releases.service"
        "nftables.service"
      ]
      ++ units
      ++ folders.madeBy;
      wants = [ "choiros-releases.service" ];
      # a switch restarts the service, and must not close the sockets for it
      stopIfChanged = false;
      restartTriggers = [ cfg.configFile ];
      notSocketActivated = true;
      serviceConfig =
        import ./lib/hardening.nix
        // {
          # a reload takes up new certificates
          Type = "notify-reload";
          ExecStart = "${lib.getExe cfg.package} serve --config /etc/${file}";
          User = "choiros";
          Group = "choiros";
          StateDirectory = lib.removePrefix "/var/lib/" folders.hypervisor;
          StateDirectoryMode = "0700";
          RuntimeDirectory = "choiros";
          RuntimeDirectoryMode = "0750";
          Restart = "always";
          TimeoutStartSec = 90;
          TimeoutStopSec = 60;
          WatchdogSec = 30;
          LimitNOFILE = 65536;
          RestrictAddressFamilies = [
            "AF_UNIX"
            "AF_INET"
          ];
          IPAddressDeny = lib.mkDefault "any";
          IPAddressAllow = [
            "localhost"
            cfg.network
          ];
        }
        // lib.optionalAttrs (cfg.slots > 0) { ReadWritePaths = [ folders.streams ]; }
        // lib.optionalAttrs (cfg.metricsTokenFile != null) {
          LoadCredential = "metrics-token:${cfg.metricsTokenFile}";
          # an empty line stands in while the file is missing: an optional secret stops no unit
          SetCredential = "metrics-token:\\n";
        };
    };
    services.choiros.settings.server.metrics_token_file = lib.mkIf (cfg.metricsTokenFile != null) (
      lib.mkDefault "/run/credentials/choiros-hypervisor.service/metrics-token"
    );
  };
}
