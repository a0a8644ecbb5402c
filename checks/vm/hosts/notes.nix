# A stranger's host: the module, and a web service of their own, whose next release has another colour.
let
  notes = ../../../examples/notes/module.nix;
in
{
  imports = [ ./plain.nix ];
  services.choiros.workspaces.sandbox = {
    config = notes;
    dev.config = {
      imports = [ notes ];
      systemd.services.notes.environment.NOTES_COLOUR = "crimson";
    };
  };
}
