# Who a sandbox is, as flags of systemd-nspawn, for the services inside that ask for it.
{ lib }:
{
  name,
  role,
  id,
  port,
}:
lib.mapAttrsToList (name: value: "--setenv=${name}=${toString value}") {
  SANDBOX_NAME = name;
  SANDBOX_INSTANCE_ROLE = role;
  SANDBOX_ID = id;
  SANDBOX_LISTEN = "0.0.0.0:${toString port}";
  SANDBOX_DATA_DIR = "/data";
  PORT = port;
  DATA_DIR = "/data";
}
