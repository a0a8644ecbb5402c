{ on, ... }:
{
  "each sandbox has an origin of its own, below the gateway's domain, unless someone says otherwise" =
    {
      config = on { };
      expect =
        c:
        c.services.choiros.settings.origins == "own"
        && c.services.choiros.settings.sandbox_domain == "choir.example.org"
        && !(c.services.choiros.settings ? gateway_prefix);
    };
  "or below a domain of their own" = {
    config = on { sandboxDomain = "sandboxes.example.net"; };
    expect = c: c.services.choiros.settings.sandbox_domain == "sandboxes.example.net";
  };
  "all share the gateway's, and its pages move, where someone says so" = {
    config = on {
      origins = "shared";
      gatewayPrefix = "/.choiros";
    };
    expect =
      c:
      c.services.choiros.settings.origins == "shared"
      && c.services.choiros.settings.gateway_prefix == "/.choiros"
      && !(c.services.choiros.settings ? sandbox_domain);
  };
  "a workspace that is named like another's dev sandbox is refused" = {
    config = on {
      origins = "shared";
      workspaces.a-dev.index = 2;
    };
    fails = "services.choiros.workspaces.a-dev: names that end with -dev";
  };
  "a workspace at the gateway's own host is refused" = {
    config = on {
      sandboxDomain = "example.org";
      workspaces.choir.index = 2;
    };
    fails = "services.choiros.workspaces.choir: its sandbox would be at choir.example.org, which is a name of the gateway's own";
  };
  "a workspace whose dev sandbox is at a redirect's host is refused" = {
    config = on {
      redirectDomains = [ "www-dev.choir.example.org" ];
      workspaces.www.index = 2;
    };
    fails = "services.choiros.workspaces.www: its sandbox would be at www-dev.choir.example.org";
  };
  "such names are anybody's where sandboxes have no hosts" = {
    config = on {
      origins = "shared";
      redirectDomains = [ "www.choir.example.org" ];
      workspaces.www.index = 2;
    };
    expect = c: c.containers ? www-live;
  };
  "a domain of sandboxes without a dot is refused" = {
    config = on {
      domain = "choir";
      ingress.internalCa = true;
    };
    fails = ''Set it to a name such as "choir.internal"'';
  };
  "it serves where sandboxes have no hosts" = {
    config = on {
      domain = "choir";
      origins = "shared";
      ingress.internalCa = true;
    };
    expect = c: c.services.choiros.settings.auth.origin == "https://choir";
  };
  "an address is no domain of sandboxes" = {
    config = on { sandboxDomain = "192.0.2.7"; };
    fails = "an address is none";
  };
  "a domain of sandboxes that no authority vouches for is refused" = {
    config = on { sandboxDomain = "sandboxes.internal"; };
    fails = "services.choiros.sandboxDomain: no certificate authority vouches for sandboxes.internal";
  };
  "a domain of sandboxes is refused where they have no hosts" = {
    config = on {
      origins = "shared";
      sandboxDomain = "choir.example.org";
    };
    fails = ''services.choiros.sandboxDomain does nothing with services.choiros.origins = "shared"'';
  };
  "a path for the gateway's pages is refused where no sandbox is beside them" = {
    config = on { gatewayPrefix = "/.choiros"; };
    fails = ''services.choiros.gatewayPrefix does nothing with services.choiros.origins = "own"'';
  };
  "a path for the gateway's pages that is dev's is refused" = {
    config = on {
      origins = "shared";
      gatewayPrefix = "/dev/choiros";
    };
    fails = "and is not below /dev";
  };
  "a path for the gateway's pages that is none is refused" = {
    config = on {
      origins = "shared";
      gatewayPrefix = "choiros/";
    };
    fails = "it begins with a slash, ends with none";
  };
}
