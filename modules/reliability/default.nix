# What keeps serving, or serves again, without a person: after a full disk, and until the last response before a reboot.
{
  imports = [
    ./restarts.nix
    ./shutdown.nix
    ./logs.nix
  ];
}
