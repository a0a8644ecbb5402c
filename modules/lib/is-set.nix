# Whether anyone says what an option is, be it what it would be anyway.
{ lib }: option: option.highestPrio < (lib.mkOptionDefault null).priority
