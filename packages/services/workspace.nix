# The Cargo workspace in services/: what its packages have in common.
{ lib }:
let
  root = ../../services;
  inherit (lib) fileset;
  inherit ((lib.importTOML (root + "/Cargo.toml")).workspace) members package;
  homepage = "https://github.com/choir/choiros-host";
in
{
  inherit root;
  inherit (package) version;
  cargoLock.lockFile = root + "/Cargo.lock";

  # The code of these crates, and of the others what Cargo must know. A program is not built again for a change of its
  # tests or of the other program, so that a deployment of a newer gateway restarts no sandbox.
  programSource =
    crates:
    fileset.toSource {
      inherit root;
      fileset = fileset.unions (
        map (name: root + "/${name}") (
          [
            "Cargo.lock"
            "Cargo.toml"
          ]
          ++ map (crate: "${crate}/Cargo.toml") members
          ++ map (crate: "${crate}/src") crates
        )
      );
    };
  # Cargo wants some code in each crate that the workspace names
  stubs = ''
    for crate in ${toString members}; do
      [ -e "$crate/src" ] || install -D /dev/null "$crate/src/lib.rs"
    done
  '';

  # All code with its tests. Pages about it are none of it: editing them rebuilds nothing.
  source = fileset.toSource {
    inherit root;
    fileset = fileset.difference (fileset.fileFilter (file: !file.hasExt "md") root) (
      fileset.maybeMissing (root + "/target")
    );
  };

  meta = {
    inherit homepage;
    changelog = "${homepage}/blob/v${package.version}/CHANGELOG.md";
    license = lib.licenses.mit;
    platforms = lib.platforms.linux;
    maintainers = [
      {
        name = "The ChoirOS project";
        github = "choir";
      }
    ];
  };
}
