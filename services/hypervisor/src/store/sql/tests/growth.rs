//! What must stay right, and in bounds, when there is much of it.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::{EPOCH, account, open, session, sessions, with_ada};
use crate::store::sql::value::params;
use crate::store::sql::{MOST_AT_ONCE, sessions as rows};
use crate::store::{AccountStore, AuditStore, PeopleStore, RecoveryStore, SessionStore};
use crate::timestamp::Timestamp;
use rstest::rstest;
use std::time::Duration;

#[rstest]
fn an_accounts_holdings_are_what_is_still_good(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
    let bob = account("bob");
    store.create_account(&bob).unwrap();
    let second = session(ada.user.id, None);
    assert!(store.use_recovery_code(&[1; 32], &second, None).unwrap());
    assert_eq!(store.user_count().unwrap(), 2);
    let counts = |now| {
        let accounts = store.people("", now).unwrap();
        let counts = accounts.into_iter().map(|of| {
            let counts = [of.passkeys, of.sessions, of.recovery_codes_left];
            (of.user.username, counts)
        });
        counts.collect::<Vec<_>>()
    };
    let of = |name: &str, counts| (name.to_owned(), counts);
    assert_eq!(counts(EPOCH), [of("ada", [1, 2, 1]), of("bob", [1, 1, 2])]);
    let later = counts(ada.session.expires_at);
    assert_eq!(later, [of("ada", [1, 0, 1]), of("bob", [1, 0, 2])]);
}

/// More rows than a purge changes at once.
fn many() -> i64 {
    i64::try_from(2 * MOST_AT_ONCE + 1).unwrap()
}

#[rstest]
fn however_many_sessions_have_ended_all_are_forgotten(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
    let later = EPOCH.after(Duration::from_hours(1));
    let mut keep = session(ada.user.id, None);
    keep.expires_at = later;
    let all = (0..many()).map(|_| session(ada.user.id, None));
    let written = store.write(|tx| {
        all.chain([keep.clone()])
            .try_for_each(|row| rows::replace(tx, &row, None))
    });
    written.unwrap();

    let seen = EPOCH.after(Duration::from_secs(1));
    let noted: Vec<_> = sessions(&store, EPOCH)
        .iter()
        .map(|row| (row.id, seen))
        .collect();
    store.purge_sessions(&noted, seen, EPOCH).unwrap();
    let rows = sessions(&store, EPOCH);
    assert_eq!(i64::try_from(rows.len()).unwrap(), many() + 2);
    assert!(rows.iter().all(|row| row.last_seen_at == seen));

    store
        .purge_sessions(&[], ada.session.expires_at, ada.session.expires_at)
        .unwrap();
    let left = sessions(&store, EPOCH);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].id, keep.id);
}

#[rstest]
fn however_many_events_are_old_all_are_forgotten(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
    let sql = "INSERT INTO audit (at, event, detail) VALUES (?1, 'x', '')";
    let insert = store
        .write(|tx| (0..many()).try_for_each(|at| Ok(tx.execute(sql, params![at]).map(drop)?)));
    insert.unwrap();
    let last = Timestamp::from_millis(many() - 1);
    store.purge_audit(last).unwrap();
    let count = "SELECT count(*), min(at) FROM audit";
    let left = store.one(count, &[], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(left.unwrap(), Some((1_i64, last)));
}
