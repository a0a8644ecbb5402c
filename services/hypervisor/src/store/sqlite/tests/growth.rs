//! What must stay right, and in bounds, when there is much of it.

use super::{EPOCH, account, open, session, sessions, with_ada};
use crate::store::sqlite::{MOST_AT_ONCE, sessions as rows};
use crate::store::{AccountStore, AuditRow, AuditStore, PeopleStore, RecoveryStore, SessionStore};
use crate::timestamp::Timestamp;
use std::time::Duration;

#[test]
fn an_accounts_holdings_are_what_is_still_good() {
    let (_folder, store, ada) = with_ada();
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

#[test]
fn however_many_sessions_have_ended_all_are_forgotten() {
    let (_folder, store, ada) = with_ada();
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

#[test]
fn however_many_events_are_old_all_are_forgotten() {
    let (_folder, store) = open();
    let sql = "INSERT INTO audit (at, event, detail) VALUES (?1, 'x', '')";
    store
        .write(|tx| {
            let mut insert = tx.prepare(sql)?;
            (0..many()).try_for_each(|at| Ok(insert.execute([at]).map(drop)?))
        })
        .unwrap();
    let last = Timestamp::from_millis(many() - 1);
    store.purge_audit(last).unwrap();
    let count = "SELECT count(*), min(at) FROM audit";
    let left: (i64, Timestamp) = store
        .read(|db| Ok(db.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))?))
        .unwrap();
    assert_eq!(left, (1, last));
}

#[test]
fn when_there_is_room_again_after_a_full_disk_the_same_store_goes_on() {
    let (_folder, store, ada) = with_ada();
    let pages = |most: i64| {
        let db = store.connection.lock().unwrap();
        let count: i64 = db
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        db.pragma_update_and_check(None, "max_page_count", count + most, |_| Ok(()))
            .unwrap();
    };
    pages(2);
    let event = |n: usize| AuditRow {
        at: EPOCH,
        event: format!("event {n}"),
        user_id: Some(ada.user.id),
        address: None,
        detail: "x".repeat(500),
        passkey: None,
        actor: None,
    };
    let mut written = 0;
    let full = loop {
        match store.record(&event(written)) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(full.to_string().contains("make room"), "{full}");
    let more = std::iter::repeat_with(|| session(ada.user.id, None)).take(100);
    let refused = store.write(|tx| {
        let mut more = more;
        more.try_for_each(|row| rows::replace(tx, &row, None))
    });
    assert!(refused.is_err(), "nor this");
    assert_eq!(
        store.users().unwrap(),
        std::slice::from_ref(&ada.user),
        "it is read"
    );
    pages(1000);
    store.record(&event(written)).unwrap();
    let audit = store.audit_of(ada.user.id, u32::MAX).unwrap();
    assert_eq!(
        audit.len(),
        written + 1,
        "all that was acknowledged, and no more"
    );
    assert_eq!(sessions(&store, EPOCH).len(), 1);
}
