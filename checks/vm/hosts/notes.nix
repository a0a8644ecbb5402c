# A stranger's host: the module, and a web service of their own, whose next release has another colour and one migration
# more.
{ lib, pkgs, ... }:
let
  notes = ../../../examples/notes/module.nix;
  next = pkgs.writeText "notes.py" (
    builtins.replaceStrings
      [ "\n)\nPAGE" ]
      [ "\n    \"alter table notes add column pinned integer not null default 0\",\n)\nPAGE" ]
      (builtins.readFile ../../../examples/notes/notes.py)
  );
in
{
  imports = [ ./plain.nix ];
  services.choiros.workspaces.sandbox = {
    config = notes;
    dev.config = {
      imports = [ notes ];
      systemd.services.notes = {
        environment.NOTES_COLOUR = "crimson";
        serviceConfig.ExecStart = lib.mkForce "${pkgs.python3}/bin/python3 ${next}";
      };
    };
  };
}
