# Those of `system.checks` that run the host's own programs, which a build for another machine's processor can't.
{ lib, pkgs }: lib.optionals (pkgs.stdenv.buildPlatform.system == pkgs.stdenv.hostPlatform.system)
