//! The one place where the errors of store, runtime and routes become HTTP.

use crate::error::HttpError;
use crate::routes::{
    AccessError, ArchiveError, ChangeError, ClaimError, MemberError, RemoveError, StopError,
    SwapError,
};
use crate::runtime::RuntimeError;
use http::StatusCode;

impl From<RuntimeError> for HttpError {
    fn from(error: RuntimeError) -> Self {
        let (status, code) = match &error {
            RuntimeError::CannotStop { .. } => (StatusCode::CONFLICT, "cannot_stop"),
            RuntimeError::StoppedByHand { .. } => (StatusCode::CONFLICT, "stopped_by_hand"),
            RuntimeError::NoLog { .. } => (StatusCode::SERVICE_UNAVAILABLE, "no_log"),
            RuntimeError::Unsupported(_) => (StatusCode::CONFLICT, "no_volume"),
            RuntimeError::NoRelease { .. } => (StatusCode::CONFLICT, "no_release"),
            RuntimeError::NoSnapshot(_) => (StatusCode::CONFLICT, "no_snapshot"),
            RuntimeError::InvalidRelease(_) => (StatusCode::BAD_REQUEST, "invalid_release"),
            RuntimeError::NoRoom(_) => (StatusCode::INSUFFICIENT_STORAGE, "no_room"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "sandbox_unavailable"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<ClaimError> for HttpError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Sandbox { cause, .. } => cause.into(),
            ClaimError::Store(error) => error.into(),
            ClaimError::Held { .. } => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(status, "sandbox_held", error.to_string()).retry_after(5)
            }
            ClaimError::Busy { full, .. } => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(status, full.code(), error.to_string()).retry_after(1)
            }
            ClaimError::Elsewhere { .. } | ClaimError::Moved { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "elsewhere",
                error.to_string(),
            ),
            ClaimError::NoWorkspace { .. } => {
                Self::new(StatusCode::FORBIDDEN, "no_workspace", error.to_string())
            }
            ClaimError::NoSlot { .. } => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "no_slot",
                error.to_string(),
            ),
            ClaimError::Retired { .. } => Self::new(
                StatusCode::FORBIDDEN,
                "workspace_retired",
                error.to_string(),
            ),
        }
    }
}

impl From<AccessError> for HttpError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Store(error) => error.into(),
            AccessError::Shared(_) => {
                Self::new(StatusCode::CONFLICT, "shared_origin", error.to_string())
            }
        }
    }
}

impl From<RemoveError> for HttpError {
    fn from(error: RemoveError) -> Self {
        let (status, code) = match error {
            RemoveError::Store(error) => return error.into(),
            RemoveError::NoUser => (StatusCode::NOT_FOUND, "not_found"),
            RemoveError::NotAdmin => (StatusCode::FORBIDDEN, "admin_only"),
            RemoveError::LastAdmin => (StatusCode::CONFLICT, "last_admin"),
            RemoveError::InProgress { .. } => (StatusCode::CONFLICT, "change_in_progress"),
            RemoveError::Interrupted => (StatusCode::CONFLICT, "removal_interrupted"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<ArchiveError> for HttpError {
    fn from(error: ArchiveError) -> Self {
        let (status, code) = match error {
            ArchiveError::Store(error) => return error.into(),
            ArchiveError::Runtime(error) => return error.into(),
            ArchiveError::NoArchive { .. } => (StatusCode::NOT_FOUND, "no_archive"),
            ArchiveError::NoUser { .. } => (StatusCode::NOT_FOUND, "not_found"),
            ArchiveError::NoSlot { .. } => (StatusCode::INSUFFICIENT_STORAGE, "no_slot"),
            ArchiveError::NoWorkspaces => (StatusCode::CONFLICT, "no_workspaces"),
            ArchiveError::Name { .. } => (StatusCode::CONFLICT, "name_taken"),
            ArchiveError::Interrupted => (StatusCode::CONFLICT, "archive_interrupted"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<MemberError> for HttpError {
    fn from(error: MemberError) -> Self {
        let (status, code) = match error {
            MemberError::Store(error) => return error.into(),
            MemberError::Declared { .. } => (StatusCode::CONFLICT, "declared_members"),
            MemberError::NoWorkspace { .. } => (StatusCode::NOT_FOUND, "no_workspace"),
            MemberError::Already { .. } => (StatusCode::CONFLICT, "member_already"),
            MemberError::NoMember { .. } => (StatusCode::NOT_FOUND, "no_member"),
            MemberError::LastMember { .. } => (StatusCode::CONFLICT, "last_member"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<SwapError> for HttpError {
    fn from(error: SwapError) -> Self {
        let code = match error {
            SwapError::Store(error) => return error.into(),
            SwapError::DevNotRunning { .. } | SwapError::DevUnhealthy { .. } => "dev_unhealthy",
            SwapError::StaleGeneration { .. } => "stale_generation",
            SwapError::InProgress => "change_in_progress",
            SwapError::Interrupted => "swap_interrupted",
        };
        Self::new(StatusCode::CONFLICT, code, error.to_string())
    }
}

impl From<ChangeError> for HttpError {
    fn from(error: ChangeError) -> Self {
        let code = match error {
            ChangeError::Store(error) => return error.into(),
            ChangeError::Runtime(error) => return error.into(),
            ChangeError::InProgress => "change_in_progress",
            ChangeError::StaleGeneration { .. } => "stale_generation",
            ChangeError::SameRelease { .. } => "same_release",
            ChangeError::NoRelease { .. } => "no_release",
            ChangeError::NoSnapshot { .. } => "no_snapshot",
            ChangeError::NothingToUndo { .. } => "nothing_to_undo",
            ChangeError::StoppedByHand { .. } => "stopped_by_hand",
            ChangeError::RehearsalFailed { .. } => "rehearsal_failed",
            ChangeError::NotDrained { .. } => "not_drained",
            ChangeError::TakenBack { .. } => "taken_back",
            ChangeError::Declared { .. } => "declared",
            ChangeError::NoMachine { .. } => "no_machine",
            ChangeError::AtHome { .. } => "at_home",
            ChangeError::NoSlotThere { .. } => "no_slot",
            ChangeError::Moves { .. } => "move_in_progress",
            ChangeError::NotTaken { .. } => "not_taken",
            ChangeError::Interrupted => "change_interrupted",
        };
        Self::new(StatusCode::CONFLICT, code, error.to_string())
    }
}

impl From<StopError> for HttpError {
    fn from(error: StopError) -> Self {
        match error {
            StopError::Store(error) => error.into(),
            StopError::Runtime(error) => error.into(),
        }
    }
}
