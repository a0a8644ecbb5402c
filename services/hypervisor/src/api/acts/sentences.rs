//! What acts on people will do, as whoever confirms them reads it.

use crate::auth::{NewInvite, User};
use crate::store::UserChange;

pub(super) fn invite(username: Option<&str>, new: &NewInvite) -> String {
    let whom = username.unwrap_or("one more person");
    let role = if new.admin { " as an admin" } else { "" };
    let place = match &new.workspace {
        Some(workspace) => format!(", and is a member of the workspace {workspace} then"),
        None => String::new(),
    };
    format!("Make a link with which {whom} can sign up on this server{role}{place}.")
}

pub(super) fn change(user: &User, change: &UserChange) -> String {
    let name = &user.username;
    match change {
        UserChange::Disable => format!(
            "Disable {name}: every session of theirs ends, what is open in it too, and they cannot log in until they are enabled again. Their workspaces stay as they are; invites that they made, and that nobody has used, are revoked."
        ),
        UserChange::Enable => format!("Enable {name}: they can log in again."),
        UserChange::Rename(new) => format!(
            "Rename {name} to {new}: they log in with that name from now on, and their passkeys and sessions stay."
        ),
        UserChange::SetAdmin(true) => format!(
            "Make {name} an admin: they see and may do everything on this server, also to you."
        ),
        UserChange::SetAdmin(false) => format!(
            "Take the role of an admin from {name}: what is open in their sessions ends, and invites that they made, and that nobody has used, are revoked."
        ),
        UserChange::EndSessions => format!(
            "End every session of {name}, and what is open in it: they have to log in again everywhere."
        ),
    }
}

pub(super) fn recovery_link(user: &User) -> String {
    let name = &user.username;
    format!(
        "Make a link for {name}: whoever opens it can add a passkey to the account {name}, once. Hand it to nobody else; {name} is told of it."
    )
}

pub(super) fn add_member(user: &User, workspace: &str) -> String {
    format!(
        "Add {} to the workspace {workspace}: they see and may do there what its other members do.",
        user.username
    )
}

pub(super) fn remove_member(user: &User, workspace: &str) -> String {
    format!(
        "Remove {} from the workspace {workspace}: what they have open there ends. The data stay with its other members.",
        user.username
    )
}

pub(super) fn remove_user(user: &User, archive_days: u64) -> String {
    let name = &user.username;
    let kept = match archive_days {
        0 => "until somebody deletes it".to_owned(),
        1 => "for a day".to_owned(),
        days => format!("for {days} days"),
    };
    format!(
        "Remove {name}: the account, its passkeys, sessions and tokens are gone for good. A workspace that is theirs alone is put into an archive, which is kept {kept} and can be restored for somebody else; in others their membership ends."
    )
}

pub(super) fn restore_archive(user: &User, workspace: &str) -> String {
    format!(
        "Restore the archive of the workspace {workspace} for {}: it is a workspace of theirs then, with all that was written in it.",
        user.username
    )
}

pub(super) fn delete_archive(workspace: &str) -> String {
    format!(
        "Delete the archive of the workspace {workspace}: all that was written in it is gone for good."
    )
}
