# What a sandbox may take of the host, so that whatever it does is noticed by itself alone.
{
  imports = [
    ./host.nix
    ./disk.nix
  ];
}
