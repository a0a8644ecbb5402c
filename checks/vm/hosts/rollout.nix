# A host whose deployments go live by themselves.
{
  imports = [ ./plain.nix ];
  services.choiros.rollout = {
    swap = "automatic";
    probationSecs = 5;
  };
}
