//! What a clock that was ahead leaves behind.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::{EPOCH, NOTICE, account, open, session, sessions};
use crate::store::{
    AccountStore, InviteRow, InviteStore as _, NewNotice, RecoveryStore, SessionStore,
};
use rstest::rstest;

#[rstest]
fn what_a_clock_began_that_was_ahead_lasts_no_longer_than_all_else(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    let day = std::time::Duration::from_hours(24);
    let (before, latest) = (account("ada"), EPOCH.after(10 * day));
    store.create_account(&before).unwrap();
    let far = EPOCH.after(400 * day);
    let mut ahead = session(before.user.id, None);
    (ahead.created_at, ahead.expires_at) = (far, far.after(30 * day));
    assert!(store.use_recovery_code(&[1; 32], &ahead, None).unwrap());
    let invite = InviteRow {
        id: uuid::Uuid::new_v4(),
        hash: [1; 32],
        username: None,
        workspace: None,
        admin: false,
        created_by: None,
        created_at: far,
        expires_at: far.after(3 * day),
    };
    store.add_invite(&invite).unwrap();
    let ends = far.after(3 * day);
    let notice = NewNotice { at: far, ..NOTICE };
    store
        .add_recovery_code(None, before.user.id, &[9; 32], ends, &notice)
        .unwrap();

    store.pull_back(latest).unwrap();
    let rows = sessions(&store, EPOCH);
    let row = rows.iter().find(|row| row.id == ahead.id).unwrap();
    assert_eq!(row.created_at, EPOCH.after(9 * day));
    assert_eq!(row.expires_at, EPOCH.after(39 * day));
    assert!(
        rows.contains(&before.session),
        "begun before, and left alone"
    );
    let (good, over) = (EPOCH.after(11 * day), EPOCH.after(12 * day));
    assert!(store.invite(&[1; 32], good).unwrap().is_some());
    assert!(store.invite(&[1; 32], over).unwrap().is_none());
    let codes = |now| store.recovery_codes_left(before.user.id, now).unwrap();
    assert_eq!((codes(good), codes(over)), (2, 1));
}
