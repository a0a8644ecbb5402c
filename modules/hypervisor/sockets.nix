# The sockets that systemd binds, so that the service needs no capability for low ports, and holds while the service is
# replaced, so that no connection is refused. What each of them is for, the hypervisor knows by its name.
{ lib, config, ... }:
let
  cfg = config.services.choiros;
  inherit (cfg.settings.server) listen;
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
  # whatever net.ipv6.bindv6only says
  world.BindIPv6Only = "both";
  # A switch starts and stops units, but leaves a socket that runs as it is, whatever became of its unit: the kinds of
  # ingress share no name.
  sockets =
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
  units = map (name: "${name}.socket") (lib.attrNames sockets);
  # what they were called before: a switch from there goes on listening
  named = name: unit: unit // { aliases = [ "${lib.removePrefix "choiros-" name}.socket" ]; };
in
{
  config = lib.mkIf cfg.enable {
    systemd.sockets = lib.mapAttrs named sockets;
    systemd.services.choiros-hypervisor = {
      requires = units;
      after = units;
    };
  };
}
