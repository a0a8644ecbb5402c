# Sizes as options have them, such as "512M", as numbers.
{ lib }:
let
  unit = {
    "" = 1;
    K = 1024;
    M = 1024 * 1024;
    G = 1024 * 1024 * 1024;
    T = 1024 * 1024 * 1024 * 1024;
  };
in
rec {
  bytes =
    size:
    let
      parts = builtins.match "([0-9]+)([KMGT]?)" size;
    in
    lib.toInt (lib.head parts) * unit.${lib.last parts};
  mebibytes = size: bytes size / unit.M;
  # What a guest has of a sandbox's memory, in MiB. The rest is for what runs it: the monitor with the pages by which it
  # maps the guest's, the files that the host has open for it, a service manager, and all code of a processor that is
  # emulated.
  guest =
    emulated: size:
    let
      all = mebibytes size;
    in
    all - all / 8 - all / 64 - (if emulated then 384 else 128);
  # Of how many MiB a guest has the 256 that its system needs, and a little more.
  least = emulated: if emulated then 768 else 464;
  # Files that the host may have open for a guest, of which each takes 2.5 KiB of the kernel's memory and of virtiofsd's.
  files = size: lib.max 50000 (lib.min 1000000 (50 * mebibytes size));
}
