# The smallest host there is: what `nix flake init` gives a stranger, as a machine of ours that CI evaluates.
{
  imports = [ ../../templates/default/host.nix ];
}
