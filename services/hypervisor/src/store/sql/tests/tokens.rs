//! Tokens are good as long as their user is, and until their end.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::{EPOCH, account, refused, with_ada};
use crate::scope::{Scope, Scopes};
use crate::store::sql::Database;
use crate::store::sql::value::params;
use crate::store::{Conflict, TokenRow, TokenStore};
use crate::timestamp::Timestamp;
use rstest::rstest;
use std::time::Duration;
use uuid::Uuid;

const DAY: Duration = Duration::from_hours(24);

fn token(n: u8, user_id: Uuid) -> TokenRow {
    TokenRow {
        id: Uuid::from_u128(n.into()),
        token: [n; 32],
        user_id,
        name: format!("token {n}"),
        scopes: [Scope::Admin, Scope::SandboxOpen].into_iter().collect(),
        workspace: None,
        created_at: EPOCH,
        expires_at: EPOCH.after(DAY),
        last_used_at: None,
    }
}

fn found(store: &Database, n: u8, now: Timestamp) -> bool {
    store.token_by_hash(&[n; 32], now).unwrap().is_some()
}

fn disable(store: &Database, user: Uuid, at: Option<Timestamp>) {
    let sql = "UPDATE users SET disabled_at = ?2 WHERE id = ?1";
    assert_eq!(store.execute(sql, params![user, at]).unwrap(), 1);
}

#[rstest]
fn a_token_is_kept_whole_and_found_by_its_hash_until_its_end(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store, ada) = with_ada!(engine);
    let row = token(1, ada.user.id);
    store.add_token(&row, 1).unwrap();
    let (kept, user) = store.token_by_hash(&[1; 32], EPOCH).unwrap().unwrap();
    assert_eq!((&kept, &user), (&row, &ada.user));
    assert_eq!(store.token_by_id(row.id).unwrap(), Some(row.clone()));
    assert_eq!(store.tokens_of(ada.user.id, EPOCH).unwrap().len(), 1);
    assert!(!found(&store, 1, row.expires_at));
    let later = store.tokens_of(ada.user.id, row.expires_at).unwrap();
    assert!(later.is_empty());
    assert!(store.remove_token(row.id).unwrap() && !store.remove_token(row.id).unwrap());
    assert!(!found(&store, 1, EPOCH));
}

#[rstest]
fn a_token_of_somebody_who_is_disabled_or_gone_is_none(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
    store.add_token(&token(1, ada.user.id), 9).unwrap();
    disable(&store, ada.user.id, Some(EPOCH));
    assert!(!found(&store, 1, EPOCH));
    let more = store.add_token(&token(2, ada.user.id), 9);
    refused(more, Conflict::NoUser);
    disable(&store, ada.user.id, None);
    assert!(found(&store, 1, EPOCH), "enabled again");
    let sql = "DELETE FROM users WHERE id = ?1";
    store.execute(sql, params![ada.user.id]).unwrap();
    assert!(store.token_by_id(Uuid::from_u128(1)).unwrap().is_none());
    let late = store.add_token(&token(3, account("bob").user.id), 9);
    refused(late, Conflict::NoUser);
}

#[rstest]
fn nobody_has_more_good_ones_than_there_may_be(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
    store.add_token(&token(1, ada.user.id), 2).unwrap();
    store.add_token(&token(2, ada.user.id), 2).unwrap();
    let third = store.add_token(&token(3, ada.user.id), 2);
    refused(third, Conflict::Tokens);
    let mut later = token(4, ada.user.id);
    later.created_at = EPOCH.after(DAY);
    store.add_token(&later, 2).unwrap();
}

#[rstest]
fn use_is_noted_and_what_is_past_is_forgotten(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
    for n in 1..=2 {
        store.add_token(&token(n, ada.user.id), 9).unwrap();
    }
    let id = Uuid::from_u128(1);
    let used = |store: &Database| store.token_by_id(id).unwrap().unwrap().last_used_at;
    let (at, ahead) = (EPOCH.after(DAY / 2), EPOCH.after(DAY * 400));
    for (noted, now, kept) in [(at, at, at), (EPOCH, at, at), (ahead, ahead, ahead)] {
        store.purge_tokens(&[(id, noted)], now, EPOCH).unwrap();
        assert_eq!(used(&store), Some(kept));
    }
    store.purge_tokens(&[(id, at)], at, EPOCH).unwrap();
    assert_eq!(used(&store), Some(at), "the clock is right again");
    store.purge_tokens(&[], at, EPOCH.after(DAY)).unwrap();
    assert_eq!(store.token_by_id(id).unwrap(), None);
}

#[rstest]
fn scopes_that_this_version_does_not_know_are_told_as_a_fault(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store, ada) = with_ada!(engine);
    store.add_token(&token(1, ada.user.id), 9).unwrap();
    let sql = "UPDATE tokens SET scopes = 'admin root'";
    store.execute(sql, &[]).unwrap();
    assert!(store.token_by_hash(&[1; 32], EPOCH).is_err());
    assert_eq!(Scopes::parse("admin root"), None);
}
