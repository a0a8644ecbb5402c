# deploy [--ssm INSTANCE] HOST…: build, show what would change, deploy, and look whether that is what runs now.
{
  writeShellApplication,
  awscli2,
  curl,
  deploy-rs,
  openssh,
  ssm-session-manager-plugin,
}:
writeShellApplication {
  name = "deploy";
  runtimeInputs = [
    awscli2
    curl
    deploy-rs
    openssh
    ssm-session-manager-plugin
  ];
  text = builtins.readFile ./deploy.sh;
}
