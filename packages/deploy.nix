# deploy [--checked] HOST: build, check, show what would change, deploy, and look whether that is what runs now.
{
  writeShellApplication,
  curl,
  deploy-rs,
  openssh,
}:
writeShellApplication {
  name = "deploy";
  runtimeInputs = [
    curl
    deploy-rs
    openssh
  ];
  text = builtins.readFile ./deploy.sh;
}
