# The gateway with sandboxes as child processes, as an image for containers: no shell, no root, all state in one volume.
{ dockerTools, static }:
dockerTools.buildLayeredImage {
  name = "choiros-host";
  tag = static.version;
  contents = [ static ];
  fakeRootCommands = ''
    mkdir -p state tmp
    chown 10001:10001 state
    chmod 1777 tmp
  '';
  config = {
    Entrypoint = [ "/bin/hypervisor" ];
    Cmd = [ "serve" ];
    User = "10001:10001";
    WorkingDir = "/state";
    Volumes."/state" = { };
    ExposedPorts."9090/tcp" = { };
    Env = [
      # from outside of the container, which alone says who reaches it
      "HYPERVISOR_SERVER_LISTEN=0.0.0.0:9090"
      "HYPERVISOR_STORE_PATH=/state/hypervisor.db"
      "HYPERVISOR_RUNTIME_DATA_DIR=/state/sandboxes"
    ];
    Labels = {
      "org.opencontainers.image.title" = "ChoirOS host";
      "org.opencontainers.image.description" = static.meta.description;
      "org.opencontainers.image.licenses" = static.meta.license.spdxId;
      "org.opencontainers.image.source" = static.meta.homepage;
      "org.opencontainers.image.version" = static.version;
    };
  };
}
