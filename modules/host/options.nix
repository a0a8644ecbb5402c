{ lib, ... }:
{
  options.services.choiros.acceptEphemeralState = lib.mkOption {
    type = lib.types.bool;
    default = false;
    example = true;
    description = "Confirms that accounts, passkeys, the sandboxes' data and certificates may be gone after a reboot: for machines that are thrown away.";
  };
}
