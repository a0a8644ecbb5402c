//! Swaps on probation.

use super::{Database, Row, Statements, params};
use crate::store::{Outcome, ProbationRow, ProbationStore, StoreError, Watch, WorkspaceRow};

const COLUMNS: &str =
    "workspace, generation, secs, until, outcome, detail, change_id, restore_data";

fn probation(row: &Row) -> Result<ProbationRow, StoreError> {
    Ok(ProbationRow {
        workspace: row.get(0)?,
        generation: row.get(1)?,
        secs: row.get(2)?,
        until: row.get(3)?,
        outcome: row.get(4)?,
        detail: row.get(5)?,
        change: row.get(6)?,
        restore_data: row.get(7)?,
    })
}

/// Notes what a change of the routes, which made `now` of the workspace, means for the probation before it.
pub(super) fn changed(
    tx: &Statements,
    now: &WorkspaceRow,
    watch: &Watch,
) -> Result<(), StoreError> {
    let before = now.generation - 1;
    match watch {
        Watch::None => {
            let detail = format!("another change brought generation {}", now.generation);
            end(tx, &now.name, before, Outcome::Overtaken, &detail)
        }
        Watch::Same => {
            tx.execute(
                "UPDATE probations SET generation = ?3
                 WHERE workspace = ?1 AND generation = ?2 AND outcome IS NULL",
                params![now.name, before, now.generation],
            )?;
            Ok(())
        }
        Watch::TakenBack { cause } => end(tx, &now.name, before, Outcome::TakenBack, cause),
        Watch::Probation {
            secs,
            until,
            change,
            restore_data,
        } => {
            tx.execute(
                "INSERT INTO probations (workspace, generation, secs, until, detail, change_id, restore_data)
                 VALUES (?1, ?2, ?3, ?4, '', ?5, ?6)
                 ON CONFLICT (workspace) DO UPDATE SET generation = excluded.generation,
                 secs = excluded.secs, until = excluded.until, outcome = NULL, detail = '',
                 change_id = excluded.change_id, restore_data = excluded.restore_data",
                params![
                    now.name,
                    now.generation,
                    secs,
                    until,
                    change,
                    restore_data,
                ],
            )?;
            Ok(())
        }
    }
}

fn end(
    tx: &Statements,
    workspace: &str,
    generation: u64,
    outcome: Outcome,
    detail: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE probations SET outcome = ?3, detail = ?4
         WHERE workspace = ?1 AND generation = ?2 AND outcome IS NULL",
        params![workspace, generation, outcome, detail],
    )?;
    Ok(())
}

impl ProbationStore for Database {
    fn probations(&self) -> Result<Vec<ProbationRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM probations ORDER BY workspace");
        self.all(&sql, &[], probation)
    }

    fn probation(&self, workspace: &str) -> Result<Option<ProbationRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM probations WHERE workspace = ?1");
        self.one(&sql, params![workspace], probation)
    }

    fn end_probation(
        &self,
        workspace: &str,
        generation: u64,
        outcome: Outcome,
        detail: &str,
    ) -> Result<(), StoreError> {
        self.write(|tx| end(tx, workspace, generation, outcome, detail))
    }
}
