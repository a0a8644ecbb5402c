# The same host with microVMs, whose processors are emulated: slow, so that CI leaves these tests out by their names.
{ config, pkgs, ... }:
let
  inherit (config.services.choiros) sandboxPackage;
  service = import ../../../modules/inside/service.nix { inherit config pkgs; } {
    workspace = "sandbox";
    options.package = sandboxPackage;
  };
  # a shell of root's, for whoever reaches the guest: nobody can log in to it
  shell =
    { pkgs, ... }:
    {
      systemd.sockets.shell = {
        wantedBy = [ "sockets.target" ];
        listenStreams = [ "7" ];
        socketConfig.Accept = true;
      };
      systemd.services."shell@" = {
        path = [
          pkgs.bash
          pkgs.curl
          pkgs.iproute2
        ];
        serviceConfig = {
          ExecStart = "${pkgs.bash}/bin/bash";
          StandardInput = "socket";
          StandardError = "inherit";
        };
      };
    };
  # ADDRESS COMMAND: says what it says there, and ends as it does
  inGuest = pkgs.writeShellApplication {
    name = "in-guest";
    runtimeInputs = [ pkgs.socat ];
    text = ''
      said=$(printf '( %s\n)\necho "status $?"\n' "$2" | socat -t 900 - "TCP:$1:7")
      echo "''${said%status *}"
      exit "''${said##*status }"
    '';
  };
in
{
  imports = [
    ./plain.nix
    ../emulated.nix
  ];
  services.choiros = {
    slots = 0;
    workspaces.sandbox = {
      isolation = "microvm";
      config.imports = [
        service
        shell
      ];
      identity = true;
    };
  };
  environment.systemPackages = [ inGuest ];
}
