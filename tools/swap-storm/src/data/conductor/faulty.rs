//! Promotions to releases that something is wrong with.

use super::Conductor;
use crate::data::ledger::{Class, Outcome};
use crate::data::orders;
use crate::data::release::Fault;
use anyhow::Result;
use serde_json::json;
use testkit::wait::eventually;

/// Seconds for which a release is watched that crashes before.
const PROBATION: u64 = 60;

impl Conductor {
    /// A promotion to a release that something is wrong with: nothing comes of it, and no request
    /// fails.
    pub(super) async fn faulty(&mut self, fault: Fault, rehearse: bool) -> Result<()> {
        let schema = self.schema + 1;
        let release = self.add(schema, Some((fault, rehearse))).await?;
        let ordered = self.begin(Class::Faulty, release, fault.to_string());
        let promotion = orders::promotion(release, rehearse, None);
        let answer = orders::order(&self.field.caller, "promote", promotion).await?;
        let (due, outcome) = if rehearse {
            ("rehearsal_failed", Outcome::Rehearsed)
        } else {
            ("taken_back", Outcome::TakenBack)
        };
        if answer.0 != 409 || answer.1["error"] != due {
            self.expected(&ordered.what, &answer, due);
        }
        let view = orders::view(&self.field.caller).await?;
        self.end(ordered, outcome, &view, schema);
        if rehearse {
            // Dev was given it before, with what dev had; a copy of live's mends that.
            let answer = orders::order(&self.field.caller, "fork", json!({})).await?;
            self.did("forks", &answer);
        }
        Ok(())
    }

    /// A release that is well at first: its probation undoes it. It has the schema of the one
    /// before, which gets all that is written meanwhile.
    pub(super) async fn crashing(&mut self) -> Result<()> {
        let before = self.release;
        let release = self.add(self.schema, Some((Fault::Crash, false))).await?;
        let trouble = self.field.ledger.trouble("a release crashes".into());
        let ordered = self.begin(Class::Faulty, release, Fault::Crash.to_string());
        let promotion = orders::promotion(release, false, Some(PROBATION));
        let answer = orders::order(&self.field.caller, "promote", promotion).await?;
        if answer.0 != 200 {
            self.expected(&ordered.what, &answer, "200");
        }
        let undone = async || {
            let view = orders::settled(&self.field.caller).await.ok()?;
            let newest = &view["history"][0];
            (newest["kind"] == "undo" && newest["outcome"] == "done").then_some(view)
        };
        let view = eventually("a probation to end", undone).await?;
        self.recovered(trouble).await?;
        if view["live_release"] != before {
            self.field.ledger.broken(format!("the probation: {view}"));
        }
        self.end(ordered, Outcome::TakenBack, &view, self.schema);
        Ok(())
    }
}
