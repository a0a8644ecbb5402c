# Three versions of one machine: a good one, one whose gateway never gets well, one that locks its operators out.
{ self, inputs, ... }:
let
  inherit (inputs.nixpkgs) lib;
  base = {
    imports = [
      self.nixosModules.default
      ../hosts/plain.nix
      ../vm.nix
      (inputs.nixpkgs + "/nixos/modules/virtualisation/qemu-vm.nix")
      (inputs.nixpkgs + "/nixos/modules/testing/test-instrumentation.nix")
    ];
    services.openssh.enable = true;
    services.choiros.firewall.operatorCidrs = [ "192.168.0.0/16" ];
    networking.hostName = "machine";
  };
  profile =
    pkgs: more:
    let
      system = lib.nixosSystem {
        modules = [
          base
          more
          {
            nixpkgs.pkgs = pkgs;
            boot.loader.grub.enable = false;
            system.switch.enable = true;
          }
        ];
      };
    in
    import ../../../hosts/activation.nix {
      inherit lib pkgs;
      inherit (system) config;
      withinSecs = 20;
    };
in
{
  nodes.machine =
    { pkgs, ... }:
    let
      versions = {
        good.environment.etc."version".text = "good";
        sick = {
          environment.etc."version".text = "sick";
          # live never answers, so the gateway's deep health doesn't
          networking.nftables.tables.sick = {
            family = "inet";
            content = ''
              chain output {
                type filter hook output priority filter; policy accept;
                ip daddr 10.233.1.2 drop
              }
            '';
          };
        };
        locked = {
          environment.etc."version".text = "locked";
          services.openssh.ports = lib.mkForce [ 2222 ];
        };
      };
    in
    {
      imports = [ base ];
      system.switch.enable = true;
      environment.etc = lib.mapAttrs' (
        name: more: lib.nameValuePair "versions/${name}" { source = profile pkgs more; }
      ) versions;
    };
  nodes.client.imports = [ ../client.nix ];
}
