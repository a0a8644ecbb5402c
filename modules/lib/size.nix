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
  # maps the guest's, the program that has its volume, a service manager, and all code of a processor that is emulated.
  guest = emulated: size: mebibytes size - mebibytes size / 64 - (if emulated then 384 else 128);
}
