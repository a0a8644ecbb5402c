# What CI asks of the Rust code, over the dependencies that are built already.
{
  pkgs,
  craneLib,
  common,
  built,
}:
{
  services-fmt = craneLib.cargoFmt { inherit (common) src pname version; };
  services-clippy = craneLib.cargoClippy (
    built // { cargoClippyExtraArgs = "--all-targets -- --deny warnings"; }
  );
  services-doc = craneLib.cargoDoc (
    built
    // {
      cargoDocExtraArgs = "--no-deps";
      env.RUSTDOCFLAGS = "--deny warnings";
    }
  );
  services-deny = craneLib.cargoDeny (common // { cargoExtraArgs = "--locked"; });
  # without a browser: these tests run in the VM test `browser`, which has one; nor what the tests of alerts read
  services-test = craneLib.cargoNextest (
    built
    // {
      cargoNextestExtraArgs = "--no-fail-fast -E 'not binary(/browser|monitoring/)'";
      # an ACME server
      nativeBuildInputs = [ pkgs.pebble ];
    }
  );
}
