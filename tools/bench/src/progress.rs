//! What happens just now, on standard error.

use std::io::Write;

/// Says it; that nobody reads it any more is no reason to end.
pub fn say(what: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{what}");
}
