# A host whose deployments go live by themselves.
{
  imports = [ ./releases.nix ];
  services.choiros.rollout = {
    kind = "promote";
    probationSecs = 10;
  };
}
