//! What goes in at one end of the program and what must come out at the other, byte for byte.
//!
//! Each test starts the real program in front of a sandbox that sends what it is told, logs someone
//! in once, and runs a table. A table is run to its end, and then says all that was wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod frames;
mod h2;
mod http2;
mod passing;
mod refusals;
mod request_bodies;
mod response_bodies;
mod response_fields;
mod response_heads;
mod response_lengths;
mod responses;
mod sandbox;
mod site;
mod spoofing;
mod timing;
mod validators;
mod wire;

/// The lines of a head in which each of these names has this value.
fn lines<N: std::fmt::Display>(names: impl IntoIterator<Item = N>, value: &str) -> String {
    let line = |name| format!("{name}: {value}\r\n");
    names.into_iter().map(line).collect::<Vec<_>>().concat()
}

/// The same wrong many times is one line.
fn counted(mut wrongs: Vec<String>) -> Vec<String> {
    wrongs.sort();
    let same = wrongs.chunk_by(|one, other| one == other);
    same.map(|same| format!("{} × {}", same.len(), same[0]))
        .collect()
}

/// Fails if anything was wrong.
#[track_caller]
fn nothing_wrong(wrongs: &[String]) {
    assert!(
        wrongs.is_empty(),
        "{} wrong:\n{}",
        wrongs.len(),
        wrongs.join("\n")
    );
}
