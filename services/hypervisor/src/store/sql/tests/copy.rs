//! Stores that are copied to others.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::{EPOCH, NOTICE, account, open, session, workspace};
use crate::store::sql::Database;
use crate::store::{
    AccountStore, AuditRow, AuditStore, ChangeKind, ChangeStore, GrantRow, GrantStore, Home,
    MetaStore, NewChange, NoticeStore, RecoveryStore, SessionStore, StoppedRow, StoreError,
    WorkspaceStore,
};
use rstest::rstest;
use uuid::Uuid;

/// Something in most tables.
fn fill(store: &Database) {
    store.set_meta("rp_id", "example.org").unwrap();
    store
        .create_workspaces(&[workspace("one"), workspace("two")])
        .unwrap();
    for name in ["ada", "bob"] {
        let mut new = account(name);
        new.user.admin = name == "ada";
        new.home = Home::Member("one".into());
        store.create_account(&new).unwrap();
        store.tell_admins(&NOTICE).unwrap();
        for n in 0..3 {
            let session = session(new.user.id, None);
            store
                .use_recovery_code(&[1; 32], &session, None)
                .map(drop)
                .unwrap();
            let grant = GrantRow {
                token: *[[n; 16], *session.id.as_bytes()]
                    .concat()
                    .as_array()
                    .unwrap(),
                session_id: new.session.id,
                host: "one.example.org".into(),
                created_at: EPOCH,
            };
            store.add_grant(&grant, 9).unwrap();
        }
        record(store, new.user.id);
    }
    let stopped = StoppedRow {
        sandbox: "two-dev".into(),
        workspace: "two".into(),
        by: "ada".into(),
        at: EPOCH,
    };
    store.set_stopped(&stopped).unwrap();
    begin(store);
}

fn begin(store: &Database) -> i64 {
    let change = NewChange {
        workspace: "one".into(),
        kind: ChangeKind::Fork,
        by: "ada".into(),
        sandbox: "one-dev".into(),
        from_release: 1,
        to_release: 2,
        snapshot: None,
    };
    store.begin_change(&change).unwrap()
}

fn record(store: &Database, user: Uuid) {
    let row = AuditRow {
        at: EPOCH,
        event: "logged_in".into(),
        user_id: Some(user),
        address: None,
        detail: String::new(),
        passkey: None,
        actor: None,
    };
    store.record(&row).unwrap();
}

#[rstest]
fn all_that_a_store_has_is_in_its_copy_which_goes_on_from_there(
    #[values(Sqlite, Postgres)] from: Engine,
    #[values(Sqlite, Postgres)] to: Engine,
) {
    let (_folder, store) = open!(from);
    fill(&store);
    let (_folder, copy) = open!(to);
    let rows = store.copy_to(&copy).unwrap();
    assert!(rows > 20, "{rows}");
    assert_eq!(copy.users().unwrap(), store.users().unwrap());
    assert_eq!(copy.workspaces().unwrap(), store.workspaces().unwrap());
    assert_eq!(copy.stopped().unwrap(), store.stopped().unwrap());
    for user in store.users().unwrap() {
        let sessions = |of: &Database| of.sessions_of(user.id, EPOCH).unwrap();
        assert_eq!(sessions(&copy), sessions(&store));
        let audit = |of: &Database| of.audit_of(user.id, 100).unwrap();
        assert_eq!(audit(&copy), audit(&store));
        record(&copy, user.id);
    }
    let last = store.open_changes().unwrap().last().unwrap().id;
    assert!(begin(&copy) > last, "numbers go on");

    assert!(matches!(store.copy_to(&copy), Err(StoreError::Full)));
}

/// Columns that no copy has would be lost without a word.
#[rstest]
fn a_copy_has_each_column_of_each_table(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
    let sql = match engine {
        Sqlite => {
            "SELECT tables.name, columns.name FROM sqlite_schema AS tables
             JOIN pragma_table_info(tables.name) AS columns
             WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'"
        }
        Postgres => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns
             WHERE table_schema = current_schema()
             AND table_name NOT IN
             ('schema_version', 'machines', 'revision', 'writes', 'changed')"
        }
    };
    let columns: Vec<(String, String)> = store
        .all(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert!(columns.len() > 90, "{}", columns.len());
    for (table, column) in columns {
        assert!(
            super::super::copy::has(&table, &column),
            "no copy has {table}.{column}"
        );
    }
}

#[rstest]
fn a_copy_that_would_differ_is_not_there(#[values(Sqlite, Postgres)] to: Engine) {
    let (_folder, store) = open!(Sqlite);
    fill(&store);
    // What the other engine keeps, and this one does not notice.
    store
        .execute("UPDATE users SET display_name = 'a' || char(0)", &[])
        .unwrap();
    let (_folder, copy) = open!(to);
    let copied = store.copy_to(&copy);
    match to {
        Sqlite => assert!(copied.is_ok()),
        Postgres => {
            let said = copied.unwrap_err().to_string();
            assert!(said.contains("0x00"), "{said}");
            assert!(copy.users().unwrap().is_empty() && copy.workspaces().unwrap().is_empty());
        }
    }
}
