//! What the tests of both storms share.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::path::PathBuf;

/// The program that is tried is of the other workspace.
pub fn hypervisor() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.ancestors().nth(2).unwrap().join("hypervisor");
    let program = std::env::var_os("HYPERVISOR").map_or(built, PathBuf::from);
    assert!(
        program.is_file(),
        "{} is not there: build it with `cargo build --manifest-path services/Cargo.toml -p hypervisor`, \
         or name another in HYPERVISOR",
        program.display()
    );
    program
}
