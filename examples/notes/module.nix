# The inside of a sandbox that serves notes, as `services.choiros.workspaces.<name>.config`.
{ pkgs, ... }:
{
  systemd.services.notes = {
    description = "Notes";
    wantedBy = [ "multi-user.target" ];
    environment.HOST = "0.0.0.0";
    serviceConfig = {
      ExecStart = "${pkgs.python3}/bin/python3 ${./notes.py}";
      # where and with which data, the sandbox is told when it starts
      PassEnvironment = [
        "PORT"
        "DATA_DIR"
      ];
      # the one who owns /data
      User = "sandbox";
      Restart = "always";
    };
  };
}
