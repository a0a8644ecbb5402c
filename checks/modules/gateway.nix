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
  "an RP ID that is no suffix of the origin is refused" = {
    config = on { rpId = "other.org"; };
    fails = ''Set it to "choir.example.org", or leave it out.'';
  };
  "an RP ID that only looks like a suffix is refused" = {
    config = on { rpId = "r.example.org"; };
    fails = "browsers would refuse every passkey";
  };
  "a domain with a scheme is refused" = {
    config = on { domain = "https://choir.example.org"; };
    fails = "domain name in lower case, without scheme";
  };
  "a redirect to itself is refused" = {
    config = on { redirectDomains = [ "choir.example.org" ]; };
    fails = "would redirect to itself";
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
  "an RP ID that is a top-level domain is refused" = {
    config = on { rpId = "org"; };
    fails = "org is a top-level domain, for which browsers make no passkeys";
  };
  "an address is no domain" = {
    config = on { domain = "192.0.2.7"; };
    fails = "an address is none";
  };
}
