# A host that runs Docker beside us, with a container of its own that Caddy leads to.
{
  imports = [ ./choiros.nix ];
  virtualisation.docker = {
    enable = true;
    autoPrune.enable = true;
    daemon.settings.default-address-pools = [
      {
        base = "172.30.0.0/16";
        size = 24;
      }
    ];
  };
  virtualisation.oci-containers = {
    backend = "docker";
    containers.wiki = {
      image = "wiki:1";
      ports = [ "127.0.0.1:8080:80" ];
    };
  };
  services.caddy.virtualHosts."wiki.example.org".extraConfig = "reverse_proxy 127.0.0.1:8080";
  services.openssh.enable = true;
  services.choiros.workspaces.sandbox.egress = "internet";
}
