//! What is ordered of the hypervisor: releases, promotions, and what they come to.

use super::release::Release;
use crate::caller::{Caller, is_unknown};
use crate::gateway::Gateway;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::PathBuf;
use testkit::wait::eventually;

/// What an order was answered with: a status and what was said.
pub(super) type Answer = (u16, Value);

/// The program that releases run, and the first argument that makes it a data service.
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) argument: &'static str,
}

impl Program {
    /// As a command line.
    pub(super) fn command(&self) -> Result<[&str; 2]> {
        Ok([
            self.path.to_str().context("a path in UTF-8")?,
            self.argument,
        ])
    }

    /// Adds a release; its number. Dev is given it, and may refuse it only if `dev_may_refuse`: then
    /// it is added all the same.
    pub(super) async fn add(
        &self,
        gateway: &Gateway,
        caller: &Caller,
        release: Release,
        dev_may_refuse: bool,
    ) -> Result<u64> {
        let variables = release.variables();
        let mut args = vec!["release", "add", "sandbox"];
        for variable in &variables {
            args.extend(["--env", variable]);
        }
        args.push("--");
        args.extend(self.command()?);
        let added = gateway.operator(&args).await;
        ensure!(added.is_ok() || dev_may_refuse, "{added:?}");
        let view = view(caller).await?;
        let newest = view["releases"].as_array().and_then(|all| all.last());
        newest
            .and_then(|it| it["number"].as_u64())
            .with_context(|| format!("a release: {view}"))
    }
}

/// The workspace, as its owner sees it.
pub(super) async fn view(caller: &Caller) -> Result<Value> {
    let path = format!("/admin/workspaces/{}", caller.person.user_id);
    let (status, view) = caller.call("GET", &path, &Value::Null).await?;
    ensure!(status == 200, "{path}: {status} {view}");
    Ok(view)
}

/// The same, once no change is under way.
pub(super) async fn settled(caller: &Caller) -> Result<Value> {
    let settled = eventually("the outcome of a change", async || {
        let view = view(caller).await.ok()?;
        let open = view["history"][0]["outcome"].is_null() && !view["history"][0].is_null();
        (!open).then_some(view)
    });
    settled.await
}

/// An order for this workspace as it is now, confirmed with a passkey; what is left is to send it.
pub(super) async fn confirmed(caller: &Caller, act: &str, mut order: Value) -> Result<Value> {
    order["act"] = act.into();
    order["user_id"] = caller.person.user_id.clone().into();
    order["expect_generation"] = view(caller).await?["generation"].clone();
    caller.confirmed(&order).await
}

/// An order, with its answer.
pub(super) async fn order(caller: &Caller, act: &str, order: Value) -> Result<Answer> {
    let confirmed = confirmed(caller, act, order.clone()).await?;
    let answer = caller.order(&confirmed).await?;
    if is_unknown(&answer) {
        let confirmed = self::confirmed(caller, act, order).await?;
        return caller.order(&confirmed).await;
    }
    Ok(answer)
}

/// A promotion of this release.
pub(super) fn promotion(release: u64, rehearse: bool, probation_secs: Option<u64>) -> Value {
    json!({ "release": release, "rehearse": rehearse, "probation_secs": probation_secs })
}

/// The promotion of this release in the history, if it is there.
pub(super) fn in_history(view: &Value, release: u64) -> Option<&Value> {
    let mut rows = view["history"].as_array()?.iter();
    rows.find(|row| row["kind"] == "promote" && row["to_release"] == release)
}
