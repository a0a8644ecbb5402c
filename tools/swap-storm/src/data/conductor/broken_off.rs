//! Promotions in whose midst something is killed or restarted.

use super::{Conductor, Ordered};
use crate::data::ledger::{Class, Outcome};
use crate::data::orders::{self, Answer};
use crate::data::plan::Victim;
use crate::data::victims;
use anyhow::Result;
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;

impl Conductor {
    /// A promotion in whose midst something is killed: it is done whole, or not at all.
    pub(super) async fn killed(&mut self, victim: Victim) -> Result<()> {
        let schema = self.schema + 1;
        let release = self.add(schema, None).await?;
        let field = self.field.clone();
        let promotion = orders::promotion(release, self.chance.bool(), None);
        let order = orders::confirmed(&field.caller, "promote", promotion).await?;
        let most = u64::try_from(self.takes.as_millis())?.max(1);
        let delay = Duration::from_millis(self.chance.u64(0..most));
        let what = format!("{victim} killed {} ms after", delay.as_millis());
        let ordered = self.begin(Class::Killed, release, what.as_str());
        let kill = async {
            sleep(delay).await;
            let trouble = field.ledger.trouble(what.clone());
            let folder = self.gateway.folder().to_owned();
            let found = match victim {
                Victim::Gateway => self.gateway.kill().await.map(|()| true),
                Victim::Sandbox => victims::kill(field.ledger.pid(), &folder, false),
                Victim::Guardian => victims::kill(field.ledger.pid(), &folder, true),
            };
            found.map(|found| (trouble, found))
        };
        let (answer, killed) = tokio::join!(field.caller.order(&order), kill);
        let (trouble, found) = killed?;
        field.ledger.did(match (victim, found) {
            (_, false) => "kills that found nobody",
            (Victim::Gateway, _) => "gateways killed",
            (Victim::Sandbox, _) => "sandboxes killed",
            (Victim::Guardian, _) => "guardians killed",
        });
        let view = orders::settled(&field.caller).await?;
        self.whole(ordered, answer.ok(), &view, schema);
        self.recovered(trouble).await
    }

    /// A promotion in whose midst the hypervisor is restarted: it is done whole, or not at all,
    /// and no request fails.
    pub(super) async fn restarted(&mut self) -> Result<()> {
        let schema = self.schema + 1;
        let release = self.add(schema, None).await?;
        let field = self.field.clone();
        let promotion = orders::promotion(release, true, None);
        let order = orders::confirmed(&field.caller, "promote", promotion).await?;
        let most = u64::try_from(self.takes.as_millis())?.max(1);
        let delay = Duration::from_millis(self.chance.u64(0..most));
        let what = format!("gateway restarted {} ms after", delay.as_millis());
        let ordered = self.begin(Class::Killed, release, what);
        let restart = async {
            sleep(delay).await;
            self.gateway.restart(|| field.ledger.now()).await
        };
        let (answer, restarted) = tokio::join!(field.caller.order(&order), restart);
        restarted?;
        field.ledger.did("restarts of the gateway");
        let view = orders::settled(&field.caller).await?;
        self.whole(ordered, answer.ok(), &view, schema);
        Ok(())
    }

    /// Has a promotion be done whole, or not at all.
    fn whole(&mut self, ordered: Ordered, answer: Option<Answer>, view: &Value, schema: u32) {
        let row = orders::in_history(view, ordered.release);
        let outcome = match row.and_then(|row| row["outcome"].as_str()) {
            Some("done") => Outcome::Done,
            Some("taken_back") => Outcome::TakenBack,
            None => Outcome::Nothing,
            Some(_) => {
                self.field
                    .ledger
                    .broken(format!("{}: {view}", ordered.what));
                Outcome::Nothing
            }
        };
        if let Some(answer) = answer.filter(|it| (it.0 == 200) != (outcome == Outcome::Done)) {
            self.expected(&ordered.what, &answer, &outcome.to_string());
        }
        self.end(ordered, outcome, view, schema);
    }
}
