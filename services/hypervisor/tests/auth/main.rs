//! The promises of auth, asked for over HTTP as a browser with an authenticator would.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod accounts;
mod acts;
mod changes;
mod ends;
mod forms;
mod harness;
mod invites;
mod login;
mod notices;
mod operator;
mod people;
mod recovery;
mod registration;
mod safety;
mod sessions;
mod silence;
