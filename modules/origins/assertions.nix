{
  lib,
  config,
  options,
  ...
}:
let
  cfg = config.services.choiros;
  own = cfg.origins == "own";
  isSet = import ../lib/is-set.nix { inherit lib; };
  gateways = [ cfg.domain ] ++ cfg.redirectDomains;
  taken = lib.filter (s: lib.elem s.host gateways) (
    import ../lib/sandbox-hosts.nix { inherit lib; } cfg
  );
  reserved = lib.filter (lib.hasSuffix "-dev") (lib.attrNames cfg.workspaces);
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = reserved == [ ];
        message = "services.choiros.workspaces.${lib.head reserved}: names that end with -dev are those of dev sandboxes' hosts. Rename it.";
      }
      {
        assertion = taken == [ ];
        message = "services.choiros.workspaces.${(lib.head taken).workspace}: its sandbox would be at ${(lib.head taken).host}, which is a name of the gateway's own. Give the workspace another name, or set services.choiros.sandboxDomain to another domain.";
      }
      {
        assertion = own -> lib.hasInfix "." cfg.sandboxDomain;
        message = "services.choiros.sandboxDomain: browsers take ${cfg.sandboxDomain}, which has no dot, for a top-level domain, below which no certificate for all names holds. Set it to a name such as \"${cfg.sandboxDomain}.internal\", or set services.choiros.origins = \"shared\".";
      }
      {
        assertion = own || !isSet options.services.choiros.sandboxDomain;
        message = "services.choiros.sandboxDomain does nothing with services.choiros.origins = \"shared\", where sandboxes have no hosts of their own. Remove one of the two.";
      }
      {
        assertion = own -> cfg.gatewayPrefix == null;
        message = "services.choiros.gatewayPrefix does nothing with services.choiros.origins = \"own\", where no sandbox is on the gateway's host. Remove it, or set origins = \"shared\".";
      }
    ];
  };
}
