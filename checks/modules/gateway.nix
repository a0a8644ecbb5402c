{ on, ... }:
{
  "nothing happens on a host that doesn't enable it" = {
    config.services.choiros.domain = "choir.example.org";
    expect =
      c:
      c.containers == { }
      && !c.services.caddy.enable
      && !(c.systemd.services ? choiros-hypervisor)
      && !(c.users.users ? choiros);
  };
  "RP ID and origin follow from the domain" = {
    config = on { };
    expect =
      c:
      c.services.choiros.settings.auth == {
        rp_id = "choir.example.org";
        origin = "https://choir.example.org";
      };
  };
  "a parent domain serves as the RP ID" = {
    config = on { rpId = "example.org"; };
    expect = c: c.services.choiros.settings.auth.rp_id == "example.org";
  };
  "a domain with a scheme is refused" = {
    config = on { domain = "https://choir.example.org"; };
    fails = "domain name in lower case, without scheme";
  };
  "registration is by invite unless someone says otherwise" = {
    config = on { };
    expect = c: c.services.choiros.settings.registration == "invite";
  };
  "closed registration reaches the gateway" = {
    config = on { registration = "closed"; };
    expect = c: c.services.choiros.settings.registration == "closed";
  };
  "open registration on a public domain is refused" = {
    config = on { registration = "open"; };
    fails = "services.choiros.acceptOpenRegistration = true";
  };
  "open registration is possible for who means it" = {
    config = on {
      registration = "open";
      acceptOpenRegistration = true;
    };
    expect = c: c.services.choiros.settings.registration == "open";
  };
  "open registration needs no confirmation where the world doesn't reach" = {
    config = on {
      domain = "choir.test";
      ingress.internalCa = true;
      registration = "open";
    };
    expect = c: c.services.choiros.settings.registration == "open";
  };
  "an address is no domain" = {
    config = on { domain = "192.0.2.7"; };
    fails = "an address is none";
  };

  # -- whose origin the pages of a sandbox have

  "each sandbox has an origin of its own, below the gateway's domain, unless someone says otherwise" =
    {
      config = on { };
      expect =
        c:
        c.services.choiros.settings.origins == "own"
        && c.services.choiros.settings.sandbox_domain == "choir.example.org"
        && c.services.choiros.settings.gateway_prefix == null;
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
      && c.services.choiros.settings.sandbox_domain == null;
  };
  "such names are anybody's where sandboxes have no hosts" = {
    config = on {
      origins = "shared";
      redirectDomains = [ "wiki.choir.example.org" ];
      workspaces.wiki.index = 2;
    };
    expect = c: c.containers ? wiki-live;
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

  # -- what `hypervisor check-config` refuses: it has to see it

  "an RP ID is for the hypervisor to judge" = {
    config = on { rpId = "other.org"; };
    expect = c: c.services.choiros.settings.auth.rp_id == "other.org";
  };
  "a domain of sandboxes is the hypervisor's to refuse where they have no hosts" = {
    config = on {
      origins = "shared";
      sandboxDomain = "choir.example.org";
    };
    expect = c: c.services.choiros.settings.sandbox_domain == "choir.example.org";
  };
  "a path for its pages is the hypervisor's to refuse where no sandbox is beside them" = {
    config = on { gatewayPrefix = "dev/"; };
    expect = c: c.services.choiros.settings.gateway_prefix == "dev/";
  };
}
