# One of three machines: see ../cluster.nix.
import ../cluster.nix "b"
