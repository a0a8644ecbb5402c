//! Grants go with their session, and are few.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::{EPOCH, refused, with_ada};
use crate::store::{Conflict, GrantRow, GrantStore, Hash, SessionStore};
use rstest::rstest;
use uuid::Uuid;

fn grant(n: u8, session_id: Uuid, host: &str) -> GrantRow {
    GrantRow {
        token: [n; 32],
        session_id,
        host: host.into(),
        created_at: EPOCH,
    }
}

#[rstest]
fn the_oldest_grants_of_a_session_at_a_host_make_room(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
    let session = ada.session.id;
    let none: Vec<Hash> = Vec::new();
    assert_eq!(store.add_grant(&grant(1, session, "a"), 2).unwrap(), none);
    assert_eq!(store.add_grant(&grant(2, session, "b"), 2).unwrap(), none);
    assert_eq!(store.add_grant(&grant(3, session, "a"), 2).unwrap(), none);
    let forgotten = store.add_grant(&grant(4, session, "a"), 2).unwrap();
    assert_eq!(forgotten, [[1; 32]]);
    let found = |n: u8| store.grant_by_token(&[n; 32]).unwrap();
    assert_eq!(found(1), None);
    for (n, host) in [(2, "b"), (3, "a"), (4, "a")] {
        assert_eq!(found(n), Some((host.to_owned(), ada.session.token)));
    }
}

#[rstest]
fn grants_end_with_their_session(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
    let session = ada.session.id;
    store.add_grant(&grant(1, session, "a"), 2).unwrap();
    assert!(store.remove_session(session).unwrap());
    assert_eq!(store.grant_by_token(&[1; 32]).unwrap(), None);
    let late = store.add_grant(&grant(2, session, "a"), 2);
    refused(late, Conflict::Session);
}
