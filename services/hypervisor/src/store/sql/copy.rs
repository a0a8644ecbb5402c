//! All that one store has, in another one, whichever engine either has.

use super::value::{Row, Value, params};
use super::{Database, Statements};
use crate::store::StoreError;
use std::fmt::Write as _;

/// Values of one statement; each engine takes more.
const MOST_VALUES: usize = 4000;

/// Rows that are compared at a time.
const PAGE: u64 = 2000;

/// A table, and what it has. The first columns are those that its rows are told apart by.
struct Table {
    name: &'static str,
    key: &'static [&'static str],
    columns: &'static [&'static str],
}

impl Table {
    fn all_columns(&self) -> Vec<&'static str> {
        [self.key, self.columns].concat()
    }
}

macro_rules! tables {
    ($($name:ident ($($key:ident),+ ; $($column:ident),*)),+ $(,)?) => {
        &[$(Table {
            name: stringify!($name),
            key: &[$(stringify!($key)),+],
            columns: &[$(stringify!($column)),*],
        }),+]
    };
}

/// Those that others refer to first.
const TABLES: &[Table] = tables! {
    meta (key; value),
    workspaces (name; generation, live, dev, retired, access_live, access_dev, live_release,
        dev_release, writes, writes_shared, slot, owned, archive, home, epoch),
    users (id; username, display_name, admin, created_at, disabled_at, workspace),
    passkeys (id; user_id, credential_id, credential, counter, name, created_at, last_used_at,
        notices_seen),
    recovery_codes (user_id, hash; created_at, expires_at, used_at),
    invites (hash; rowid, id, admin, username, workspace, created_by, created_at, expires_at,
        used_at, used_by, revoked_at),
    sessions (id; token, user_id, kind, passkey_id, created_at, expires_at, last_seen_at, address,
        user_agent),
    grants (token; rowid, session_id, host, created_at),
    tokens (id; token, user_id, name, scopes, workspace, created_at, expires_at, last_used_at),
    members (user_id, workspace; rowid),
    taken_out (user_id;),
    probations (workspace; generation, secs, until, outcome, detail, change_id, restore_data),
    stopped (workspace, sandbox; by, at),
    changes (id; workspace, kind, by, at, sandbox, from_release, to_release, snapshot, generation,
        held_ms, writes, outcome, detail),
    moves (workspace; id, source, source_slot, swapped, target, target_slot, state),
    archives (id; workspace, members, slot, swapped, generation, live_release, dev_release, at,
        delete_at, bytes, state, home),
    audit (id; at, event, user_id, address, detail, passkey, actor),
    notices (id; user_id, passkey_id, at, event, detail),
};

/// Whether this column of this table is copied.
#[cfg(test)]
pub(super) fn has(table: &str, column: &str) -> bool {
    let mut tables = TABLES.iter();
    tables.any(|it| it.name == table && it.all_columns().contains(&column))
}

impl Database {
    /// Copies all that is here to a store in which nothing is, and compares each row; says how many
    /// there are. Nothing is there if it fails.
    ///
    /// # Errors
    /// Something is there, the two are not the same afterwards, or the engines'.
    pub fn copy_to(&self, to: &Self) -> Result<u64, StoreError> {
        to.write(|target| {
            for table in TABLES {
                let sql = format!("SELECT count(*) FROM {}", table.name);
                if target.value::<u64>(&sql, &[])? > 0 {
                    return Err(StoreError::Full);
                }
            }
            for table in TABLES {
                self.pages(table, |rows| insert(target, table, rows))?;
            }
            to.engine.continue_numbers(target.0)
        })?;
        let mut rows = 0;
        for table in TABLES {
            rows += self.compare(to, table)?;
        }
        Ok(rows)
    }

    /// Gives all rows of a table to `page`, some at a time.
    fn pages(
        &self,
        table: &Table,
        mut page: impl FnMut(&[Row]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut last = None;
        loop {
            let rows = self.page(table, last.as_deref())?;
            let Some(end) = rows.last() else {
                return Ok(());
            };
            last = Some(end.0[..table.key.len()].to_vec());
            page(&rows)?;
        }
    }

    /// The rows that come after the one of this key.
    fn page(&self, table: &Table, after: Option<&[Value]>) -> Result<Vec<Row>, StoreError> {
        let (name, key) = (table.name, table.key.join(", "));
        let columns = table.all_columns().join(", ");
        let mut values = params![PAGE].to_vec();
        let mut rest = String::new();
        if let Some(after) = after {
            let numbers: Vec<_> = (2..after.len() + 2).map(|n| format!("?{n}")).collect();
            let _ = write!(rest, "WHERE ({key}) > ({})", numbers.join(", "));
            values.extend_from_slice(after);
        }
        let sql = format!("SELECT {columns} FROM {name} {rest} ORDER BY {key} LIMIT ?1");
        self.all(&sql, &values, |row| Ok(Row(row.0.clone())))
    }

    fn compare(&self, other: &Self, table: &Table) -> Result<u64, StoreError> {
        let (mut rows, mut last) = (0, None);
        loop {
            let here = self.page(table, last.as_deref())?;
            let there = other.page(table, last.as_deref())?;
            if here.len() != there.len() || !here.iter().zip(&there).all(is_same) {
                return Err(StoreError::Differs(table.name));
            }
            let Some(end) = here.last() else {
                return Ok(rows);
            };
            rows += here.len() as u64;
            last = Some(end.0[..table.key.len()].to_vec());
        }
    }
}

fn insert(target: &Statements, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
    let columns = table.all_columns();
    for rows in rows.chunks(MOST_VALUES / columns.len()) {
        let (mut places, mut values) = (Vec::new(), Vec::new());
        for row in rows {
            let numbers = (1..=columns.len()).map(|n| format!("?{}", values.len() + n));
            places.push(format!("({})", numbers.collect::<Vec<_>>().join(", ")));
            values.extend_from_slice(&row.0);
        }
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {}",
            table.name,
            columns.join(", "),
            places.join(", ")
        );
        target.execute(&sql, &values)?;
    }
    Ok(())
}

/// Whether two rows have the same, in whatever type each engine has it.
fn is_same((one, other): (&Row, &Row)) -> bool {
    let plain = |row: &Row| row.0.iter().map(plain).collect::<Vec<_>>();
    plain(one) == plain(other)
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Bool(it) => Value::Int((*it).into()),
        Value::Uuid(it) => Value::Bytes(it.as_bytes().to_vec()),
        other => other.clone(),
    }
}
