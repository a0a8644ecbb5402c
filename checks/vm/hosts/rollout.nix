# A host whose deployments go live by themselves.
{
  imports = [ ./plain.nix ];
  services.choiros.rollout = {
    swap = "automatic";
    probationSecs = 10;
  };
  services.choiros.workspaces.team.index = 2;
}
