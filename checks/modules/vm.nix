# The hosts of the VM tests, whole: what a stand-in for a host boots is rendered from these.
_:
builtins.listToAttrs (
  map (file: {
    name = "the VM tests' host ${file} is whole";
    value = {
      config = ../vm/hosts + "/${file}";
      expect = c: c.services.choiros.enable;
    };
  }) (builtins.attrNames (builtins.readDir ../vm/hosts))
)
