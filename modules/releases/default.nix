# What each sandbox runs, pinned: generations of a profile for each workspace, and for each sandbox a link to one of them.
{
  imports = [
    ./generations.nix
    ./pins.nix
  ];
}
