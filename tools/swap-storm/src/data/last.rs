//! The last look, when all is over: everything that was acknowledged is there, and nothing else.

use super::account::{Account, Wrong};
use super::clients::{Connection, Field, note};
use super::ledger::Kind;
use super::record::{FILES, Key};
use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use testkit::wait::DEADLINE;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Ends the clients, and looks; says how many records are there as they should be.
pub(super) async fn look(
    field: &Arc<Field>,
    mut writers: JoinSet<()>,
    mut followers: JoinSet<()>,
) -> Result<u64> {
    field.over.store(true, Ordering::SeqCst);
    while let Some(writer) = writers.join_next().await {
        writer?;
    }
    let newest = field.accounts.iter().map(Account::newest).max();
    field
        .last
        .store(newest.unwrap_or_default(), Ordering::SeqCst);
    let followed = async {
        while let Some(follower) = followers.join_next().await {
            follower?;
        }
        anyhow::Ok(())
    };
    match timeout(DEADLINE, followed).await {
        Ok(followed) => followed?,
        Err(_) => field
            .ledger
            .broken("a follower has missed the last records".into()),
    }
    let mut connection = Connection::new(field, Kind::Read);
    let mut records = 0;
    for account in &field.accounts {
        records += at_account(&mut connection, account).await?;
    }
    if connection.ask("GET", "/check", "").await.is_none() {
        field.ledger.broken("the data are not whole".into());
    }
    Ok(records)
}

async fn at_account(connection: &mut Connection, account: &Account) -> Result<u64> {
    let (client, count) = (account.client, account.count());
    let lines = connection
        .ask("GET", &format!("/records/{client}"), "")
        .await;
    let (lines, _) = lines.context("an answer to the last look")?;
    let mut wrong = account.compare(&lines, 0, count);
    let right = count - (wrong.len() as u64).min(count);
    let there = lines.lines().count() as u64;
    if there > count {
        wrong.push(Wrong::Twice(format!(
            "client {client} has {there} records, and wrote {count}"
        )));
    }
    let files = connection.ask("GET", &format!("/files/{client}"), "").await;
    let (files, _) = files.context("an answer to the last look")?;
    let due: Vec<_> = (1..=count / FILES)
        .map(|file| (file * FILES).to_string())
        .collect();
    if files != due.join(" ") {
        let key = Key {
            client,
            number: count,
        };
        wrong.push(Wrong::Lost(format!("files up to {key}: {files}")));
    }
    note(&connection.field, wrong);
    Ok(right)
}
