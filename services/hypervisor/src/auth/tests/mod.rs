//! The promises of auth, asked for over HTTP as a browser with an authenticator would.

mod accounts;
mod harness;
mod invites;
mod login;
mod operator;
mod recovery;
mod registration;
mod safety;
mod sessions;
mod silence;
