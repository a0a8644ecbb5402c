//! Promotions to releases that are well, and what goes with them.

use super::Conductor;
use crate::data::ledger::{Change, Class, Kind, Outcome};
use crate::data::orders;
use crate::data::plan::And;
use anyhow::Result;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use testkit::wait::eventually;
use tokio::time::Instant;

impl Conductor {
    /// A promotion to a release that is well: it succeeds.
    pub(super) async fn well(&mut self, and: And) -> Result<()> {
        let schema = self.schema + u32::from(and.migrates());
        let before = self.release;
        let release = self.add(schema, None).await?;
        let begun = Instant::now();
        let ordered = self.begin(Class::Well, release, format!("{and:?}"));
        let promotion = orders::promotion(release, and != And::Unrehearsed, None);
        let answer = orders::order(&self.field.caller, "promote", promotion).await?;
        let view = orders::view(&self.field.caller).await?;
        self.takes = begun.elapsed();
        if answer.0 != 200 {
            self.expected(&ordered.what, &answer, "a promotion");
            self.end(ordered, Outcome::TakenBack, &view, schema);
            return Ok(());
        }
        let frozen = answer.1["rehearsal"]["frozen_ms"].as_f64();
        self.field
            .ledger
            .record(|records| records.frozen.extend(frozen));
        let from = self.schema;
        self.end(ordered, Outcome::Done, &view, schema);
        self.and(and, (before, from), release).await
    }

    /// What goes with it, where `before` were live's release and schema.
    async fn and(&mut self, and: And, before: (u64, u32), release: u64) -> Result<()> {
        let caller = &self.field.caller;
        match and {
            And::Nothing | And::Unrehearsed | And::Restarted => {}
            And::UndoneWithData => self.undo_with_data(before, release).await?,
            And::Undone => {
                self.undo(json!({}), Ok("undone")).await?;
                self.release = before.0;
            }
            And::UndoRefused => {
                self.undo(json!({}), Err("undos refused by the old release"))
                    .await?;
            }
            And::Forked => {
                let answer = orders::order(caller, "fork", json!({})).await?;
                self.did("forks", &answer);
            }
            And::Snapshotted => {
                let path = format!("/admin/sandboxes/{}/live/snapshot", caller.person.user_id);
                let answer = caller.call("POST", &path, &json!({})).await?;
                self.did("snapshots", &answer);
                let frozen = answer.1["frozen_ms"].as_f64();
                self.field
                    .ledger
                    .record(|records| records.frozen.extend(frozen));
            }
        }
        Ok(())
    }

    /// An undo, which succeeds, or is taken back since the old release refuses the new data.
    async fn undo(
        &self,
        order: Value,
        due: Result<&'static str, &'static str>,
    ) -> Result<Option<Value>> {
        let ledger = &self.field.ledger;
        let begin = ledger.now();
        let answer = orders::order(&self.field.caller, "undo", order).await?;
        let (Ok(what) | Err(what)) = due;
        let right = match due {
            Ok(_) => answer.0 == 200,
            Err(_) => answer.0 == 409 && answer.1["error"] == "taken_back",
        };
        if right {
            ledger.did(what);
        } else {
            self.expected(what, &answer, "that");
        }
        let change = Change {
            what: what.to_owned(),
            class: if due.is_ok() {
                Class::Undo
            } else {
                Class::Faulty
            },
            span: ledger.since(begin),
            outcome: None,
            held_ms: answer.1["held_ms"].as_u64(),
        };
        ledger.record(|records| records.changes.push(change));
        Ok(right.then_some(answer.1))
    }

    /// What was written since the promotion goes by order, and is accounted for one by one.
    async fn undo_with_data(&mut self, before: (u64, u32), release: u64) -> Result<()> {
        let field = self.field.clone();
        let opened = field.ledger.answered(Kind::WebSocket);
        let sockets = || {
            field
                .ledger
                .answered(Kind::WebSocket)
                .saturating_sub(opened)
                + field.sockets
        };
        self.all_wrote().await?;
        field.rest.store(true, Ordering::SeqCst);
        let all = field.accounts.len();
        let resting = async || (field.resting.load(Ordering::SeqCst) == all).then_some(());
        eventually("all writers to rest", resting).await?;
        let undone = self
            .undo(json!({ "with_data": true }), Ok("undone with data"))
            .await?;
        if let Some(said) = undone {
            (self.release, self.schema) = before;
            let (mut gone, mut floor) = (0, 0);
            for account in &field.accounts {
                let (of_it, newest) = account.order_away(release);
                (gone, floor) = (gone + of_it, newest.max(floor));
            }
            // An open WebSocket may have written as well, for all that the hypervisor knows.
            let said_lost = said["lost_writes"].as_u64().unwrap_or_default();
            if !(gone..=gone + sockets()).contains(&said_lost) {
                let what = format!("undo with data: {gone} records went, and it said {said}");
                field.ledger.broken(what);
            }
            field.ledger.record(|records| records.ordered_away += gone);
            field.floor.store(floor, Ordering::SeqCst);
            field.era.fetch_add(1, Ordering::SeqCst);
        }
        field.rest.store(false, Ordering::SeqCst);
        Ok(())
    }
}
