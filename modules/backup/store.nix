# The hypervisor's own store: where it and its copies are, and how programs run that read them.
{ lib, config }:
let
  cfg = config.services.choiros;
in
rec {
  folder = "/var/lib/choiros/hypervisor";
  copies = "${cfg.backup.directory}/hypervisor";
  # where they run there is no /etc
  program = "${lib.getExe cfg.package} --config ${cfg.configFile}";
  view = import ./view.nix {
    inherit folder copies;
    user = "choiros";
  };
}
