# The hosts of the VM tests, whole: what a stand-in host boots is rendered from these.
_: {
  "the VM tests' host is whole" = {
    config = ../vm/common/host.nix;
    expect = c: c.services.choiros.domain == "choir.test";
  };
}
