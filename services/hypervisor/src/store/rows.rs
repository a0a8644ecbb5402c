//! What the store takes and gives.

use crate::access::Access;
use crate::role::Role;
use crate::sandbox_name;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The SHA-256 of a secret. The store never sees a secret itself.
pub type Hash = [u8; 32];

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserRow {
    /// Also the passkeys' user handle.
    pub id: Uuid,
    /// Normalised, unique.
    pub username: String,
    /// As the user wrote it.
    pub display_name: String,
    /// Whether the user may see and do everything.
    pub admin: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Since when the user may not log in.
    pub disabled_at: Option<Timestamp>,
}

/// A user, and how much of each is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Account {
    /// The user.
    #[serde(flatten)]
    pub user: UserRow,
    /// Passkeys.
    pub passkeys: u64,
    /// Sessions that are good.
    pub sessions: u64,
    /// Recovery codes that are good.
    pub recovery_codes_left: u64,
    /// When they last came with a request, or logged in, as far as that is kept.
    pub last_seen_at: Option<Timestamp>,
    /// The workspaces of which they are a member, those that they joined first in front.
    pub workspaces: Vec<String>,
}

/// A passkey of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Our name for it.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The authenticator's name for it, unique.
    pub credential_id: Vec<u8>,
    /// Public key and properties, in the auth module's form.
    pub credential: String,
    /// How often it was used, if the authenticator counts.
    pub counter: u32,
    /// The user's name for it.
    pub name: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last logged its user in.
    pub last_used_at: Option<Timestamp>,
}

/// One use of a passkey.
#[derive(Debug, Clone)]
pub struct PasskeyUse {
    /// Which one.
    pub id: Uuid,
    /// Its properties afterwards.
    pub credential: String,
    /// Its counter afterwards.
    pub counter: u32,
    /// Whether that must have gone up, as it does in the one device that has it.
    pub counts: bool,
    /// What is different about it since its last use, for people.
    pub change: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// Everything that its user may.
    Full,
    /// Add a passkey, or log out.
    Recovery,
}

/// A session of a user in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its public name; not what the browser holds.
    pub id: Uuid,
    /// The hash of what the browser holds.
    pub token: Hash,
    /// Whose it is.
    pub user_id: Uuid,
    /// What it may do.
    pub kind: SessionKind,
    /// The passkey that opened it.
    pub passkey_id: Option<Uuid>,
    /// When the user logged in.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it last came with a request, to about a minute.
    pub last_seen_at: Timestamp,
    /// The address that it was opened from.
    pub address: String,
    /// The browser that it was opened by.
    pub user_agent: String,
}

/// What lets a session's browser in at one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// The hash of what the browser holds.
    pub token: Hash,
    /// The session that it ends with.
    pub session_id: Uuid,
    /// The host where it is good.
    pub host: String,
    /// When it was given.
    pub created_at: Timestamp,
}

/// All that is written when a registration finishes.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The user.
    pub user: UserRow,
    /// Their first passkey.
    pub passkey: PasskeyRow,
    /// Their recovery codes.
    pub recovery_codes: Vec<Hash>,
    /// The invite that this uses up.
    pub invite: Option<Hash>,
    /// The session that they begin with.
    pub session: SessionRow,
    /// The session that this browser had, which ends.
    pub replaces: Option<Uuid>,
    /// The workspace that they get.
    pub home: Home,
}

/// The workspace that a person gets, in the same step as what it is for.
#[derive(Debug, Clone, Default)]
pub enum Home {
    /// None.
    #[default]
    None,
    /// They become a member of this one.
    Member(String),
    /// One that is new.
    New(NewWorkspace),
}

/// A workspace to be made.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// Its unique name.
    pub name: String,
    /// The machines that may be its home; the first that has room for it is.
    pub rooms: Vec<Room>,
}

/// The room that a machine has for workspaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Which machine.
    pub machine: String,
    /// How many slots it has, if a workspace takes one there: the first that is free.
    pub slots: Option<u32>,
}

/// A workspace, its roles and its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceRow {
    /// Its unique name.
    pub name: String,
    /// Grows by one at each change of its routes.
    pub generation: u64,
    /// The sandbox that is live.
    pub live: String,
    /// The sandbox that is dev.
    pub dev: String,
    /// The users who own it.
    pub members: Vec<Uuid>,
    /// Its slot of the host, if it is not a declared one.
    pub slot: Option<u32>,
    /// The machine whose sandboxes it has.
    pub home: String,
    /// Grows by one when another machine becomes its home.
    pub epoch: u64,
    /// The archive that it is on its way to, or comes from.
    pub archive: Option<String>,
    /// Whether it was ever somebody's.
    pub owned: bool,
    /// Whether it is kept only, since it is no longer declared where all must be.
    pub retired: bool,
    /// Who may look at live.
    pub access_live: Access,
    /// Who may look at dev.
    pub access_dev: Access,
    /// What live runs, by its number; 0 until that is known.
    pub live_release: u64,
    /// What dev runs.
    pub dev_release: u64,
    /// How many requests may have written to live.
    pub writes: u64,
    /// How many of them at the last fork or swap.
    pub writes_shared: u64,
}

impl WorkspaceRow {
    /// A workspace in its first generation, without members.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            generation: 1,
            live: sandbox_name::of(name, None, Role::Live),
            dev: sandbox_name::of(name, None, Role::Dev),
            members: Vec::new(),
            slot: None,
            home: String::new(),
            epoch: 0,
            archive: None,
            owned: false,
            retired: false,
            access_live: Access::default(),
            access_dev: Access::default(),
            live_release: 0,
            dev_release: 0,
            writes: 0,
            writes_shared: 0,
        }
    }
}

/// What brings workspaces and members to what the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// New workspaces.
    pub create: Vec<WorkspaceRow>,
    /// Workspaces that are served from now on, or no longer.
    pub retire: Vec<(String, bool)>,
    /// Users who change their workspace.
    pub moves: Vec<Move>,
    /// What is written to the audit log about it.
    pub audit: Vec<AuditRow>,
}

/// A user who changes their workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Who.
    pub user: Uuid,
    /// The workspace that they had.
    pub from: Option<String>,
    /// The one that they have from now on; with none they are taken out.
    pub to: Option<String>,
}

/// What a swap or a change means for the probation that a workspace may be on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watch {
    /// A probation under way has been overtaken.
    None,
    /// Live is what it was, and a probation under way goes on.
    Same,
    /// The same, and a new one begins.
    Probation {
        /// How long it lasts.
        secs: u64,
        /// When it ends.
        until: Timestamp,
        /// The promotion that is watched, if it is no swap.
        change: Option<i64>,
        /// Whether live's volume is put back with its release.
        restore_data: bool,
    },
    /// This is what takes the swap on probation back.
    TakenBack {
        /// What was wrong with live.
        cause: String,
    },
}

/// A workspace's last swap on probation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbationRow {
    /// The workspace.
    pub workspace: String,
    /// The generation that the swap made, and that is watched.
    pub generation: u64,
    /// How many seconds it lasts.
    pub secs: u64,
    /// When it ends.
    pub until: Timestamp,
    /// What came of it; none while it is under way.
    pub outcome: Option<Outcome>,
    /// Why, in a sentence.
    pub detail: String,
    /// The promotion that is watched, if it is no swap.
    pub change: Option<i64>,
    /// Whether live's volume is put back with its release.
    pub restore_data: bool,
}

/// What comes of a probation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Live was healthy until the end.
    Passed,
    /// Live was not, and the swap was taken back.
    TakenBack,
    /// Somebody else changed the routes meanwhile.
    Overtaken,
}

/// An event of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// What, as a stable word.
    pub event: String,
    /// Whom it concerns; it stays when the user is removed.
    #[serde(skip)]
    #[schema(ignore)]
    pub user_id: Option<Uuid>,
    /// From where.
    pub address: Option<String>,
    /// The rest, for people.
    pub detail: String,
    /// The name of the passkey that confirmed it, if it took one.
    pub passkey: Option<String>,
    /// Who did it, as far as that is known.
    pub actor: Option<String>,
}

/// An event as the audit log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Grows with each.
    pub id: i64,
    /// Whom it concerns.
    pub user_id: Option<Uuid>,
    /// The rest.
    #[serde(flatten)]
    pub row: AuditRow,
}

impl AuditRow {
    /// What happens now, by nobody in particular.
    pub fn new(event: &str, user_id: Option<Uuid>, detail: impl Into<String>) -> Self {
        Self {
            at: Timestamp::now(),
            event: event.to_owned(),
            user_id,
            address: None,
            detail: detail.into(),
            passkey: None,
            actor: None,
        }
    }
}

/// What people are told of a change to who gets into their account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// The passkey that confirmed it, whose owner is not told.
    pub by: Option<Uuid>,
    /// When.
    pub at: Timestamp,
    /// What, as a stable word of the audit log.
    pub event: &'static str,
    /// The rest, for people.
    pub detail: String,
}

/// The same, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeRow {
    /// Grows with each.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What, as a stable word of the audit log.
    pub event: String,
    /// The rest, for people.
    pub detail: String,
}
