# Who a sandbox is: what its container is told at the start, for the services inside that ask for it.
{ lib }:
let
  variables = s: {
    SANDBOX_NAME = s.name;
    SANDBOX_INSTANCE_ROLE = s.role;
    SANDBOX_LISTEN = "0.0.0.0:${toString s.port}";
    SANDBOX_DATA_DIR = "/data";
    PORT = s.port;
    DATA_DIR = "/data";
  };
in
{
  # as flags of systemd-nspawn; which release it runs is known at the start alone, and the id is for the owner of /data
  flags =
    s:
    lib.mapAttrsToList (name: value: "--setenv=${name}=${toString value}") (
      variables s // { SANDBOX_ID = s.id; }
    );
  # for the services' `PassEnvironment`
  names = [ "SANDBOX_RELEASE" ] ++ lib.attrNames (variables null);
}
