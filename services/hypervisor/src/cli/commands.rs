//! What the operator asks of the running gateway, or does to its store.
#![allow(clippy::doc_markdown, reason = "doc comments are the help texts here")]

use super::answer::Answer;
use super::client::Client;
use super::{backup, changes, logs, machines, people, sandboxes};
use crate::config::Config;
use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Print a link with which one more person can register
    Invite(people::Invite),
    /// List, revoke or create invites
    Invites(people::Invites),
    /// List the accounts; disable, rename or remove one, or make it an admin's
    Users(people::Users),
    /// List who is logged in from where, or end a session
    Sessions(people::Sessions),
    /// List who is a member of which workspace; add or remove one
    Members(people::Members),
    /// List the workspaces that were archived with their last member; restore or delete one
    Archives(people::Archives),
    /// List the tokens that let programs in; create or revoke one
    #[command(subcommand)]
    Tokens(people::Tokens),
    /// Print the audit log as JSON lines, the oldest first
    Audit(people::Audit),
    /// Print the last lines that a sandbox wrote
    Logs(logs::Logs),
    /// List the sandboxes, or start or stop one
    Sandboxes(sandboxes::Sandboxes),
    /// List a workspace's releases, and which of them live and dev have
    Releases(changes::Of),
    /// Add a release, or give one to dev
    Release {
        #[command(subcommand)]
        verb: changes::ReleaseVerb,
    },
    /// Give live dev's release; live's data stay where they are
    ///
    /// It is tried first in dev, on a copy of live's data. Then requests to live wait while it is
    /// stopped, started with the release, and found healthy; otherwise release and data are what
    /// they were before anybody is let in.
    Promote(changes::Promote),
    /// Take live's last promotion back
    Undo(changes::Undo),
    /// Make dev's data a copy of live's; what dev has is kept as a snapshot
    Fork(changes::Of),
    /// Copy a sandbox's data as of one moment, while it is in use
    Snapshot(changes::Snapshot),
    /// List the snapshots of a workspace
    Snapshots(changes::Of),
    /// Say what was done to a workspace, the newest first
    History(changes::Of),
    /// Exchange a workspace's live and dev sandboxes, data included, while requests run
    ///
    /// Live's address has dev's data afterwards; to keep live's, use `promote`. The dev sandbox is probed first; if it is not healthy, nothing changes. Requests that
    /// were claimed before finish where they began. The same command again swaps back.
    Swap(sandboxes::Swap),
    /// Say or set who may look at a workspace's live or dev sandbox
    ///
    /// It belongs to the role: a swap leaves it as it is.
    Access(sandboxes::Access),
    /// Copy a sandbox's data as of one moment to its backups, or the store to a file; both while in use
    ///
    /// Every SQLite database in a backup is checked, and so is the copy of the store.
    Backup(changes::Backup),
    /// List the backups of a workspace
    Backups(changes::Of),
    /// Make a sandbox's data what a snapshot or a backup has, or the store what a copy of it is
    ///
    /// Requests to the sandbox wait meanwhile; what it has now is kept as a snapshot, and comes
    /// back if it is not healthy. The store is restored while the gateway is stopped: the copy is
    /// checked first, and what was there is kept beside it.
    Restore(changes::Restore),
    /// Say how the running gateway is
    Status,
    /// List the machines that share a store, and how each is
    Machines,
    /// Make another machine the home of a workspace; its data go along
    ///
    /// They are sent while people go on. Then requests wait while what has changed since is sent, and
    /// the other machine starts live; if it is not healthy there, all is as it was. Snapshots and
    /// backups stay in the archive that the first machine keeps of it.
    Move(machines::Move),
    /// Print a one-time recovery code for someone who has lost every passkey
    ///
    /// With it they add a new passkey at /recovery, and can do nothing else.
    Recover(people::Whom),
}

impl Command {
    /// Does it, and writes how it went.
    pub(super) async fn run(self, config: &Config, json: bool) -> Result<()> {
        let client = Client::new(config.control_socket());
        let answer = self.ask(config, &client, json).await?;
        answer.write(json, &client).await
    }

    async fn ask(self, config: &Config, client: &Client, json: bool) -> Result<Answer> {
        match self {
            Self::Status => Ok(client.get("/status").await?.into()),
            Self::Machines => machines::machines(client).await,
            Self::Move(order) => machines::move_to(client, &order).await,
            Self::Users(users) => people::users(client, users).await,
            Self::Invites(invites) => people::invites(client, invites).await,
            Self::Sessions(sessions) => people::sessions(client, sessions).await,
            Self::Members(members) => people::members(client, members).await,
            Self::Archives(archives) => people::archives(client, archives).await,
            Self::Tokens(tokens) => people::tokens(client, tokens).await,
            Self::Audit(audit) => people::audit(client, &audit).await,
            Self::Logs(order) => logs::logs(client, &order, json).await,
            Self::Invite(invite) => people::invite(client, &invite).await,
            Self::Recover(recover) => people::recover(client, &recover).await,
            Self::Sandboxes(sandboxes) => sandboxes::sandboxes(client, sandboxes).await,
            Self::Access(access) => sandboxes::access(client, access).await,
            Self::Swap(swap) => sandboxes::swap(client, swap).await,
            Self::Releases(of) => changes::releases(client, &of).await,
            Self::Release { verb } => changes::release(client, verb).await,
            Self::Promote(promote) => changes::promote(client, promote).await,
            Self::Undo(undo) => changes::undo(client, undo).await,
            Self::Fork(of) => changes::fork(client, &of).await,
            Self::Snapshot(snapshot) => changes::snapshot(client, &snapshot).await,
            Self::Snapshots(of) => changes::snapshots(client, &of).await,
            Self::History(of) => changes::history(client, &of).await,
            Self::Backups(of) => changes::backups(client, &of).await,
            Self::Backup(order) => match backup::backup(config, &order.store)? {
                Some(copied) => Ok(copied),
                None => changes::back_up(client, &order).await,
            },
            Self::Restore(order) => match &order.from {
                Some(from) => backup::restore(config, from),
                None => changes::restore(client, &order).await,
            },
        }
    }
}
