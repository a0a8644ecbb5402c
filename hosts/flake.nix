# What machines of ours need beyond the project's own flake: locked here, where `nix flake update --flake ./hosts` finds
# it, and fetched by ./default.nix for a machine that needs it.
{
  inputs.sops-nix = {
    url = "github:Mic92/sops-nix";
    flake = false;
  };
  outputs = _: { };
}
