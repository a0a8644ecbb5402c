//! Why auth refused, and how that is told over HTTP.

use super::placement::PlacementError;
use crate::error::HttpError;
use crate::scope::Scope;
use crate::store::{Conflict, StoreError};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use uuid::Uuid;

/// Why auth refused. Each sentence says the mend; nothing internal is in what clients see.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum AuthError {
    #[error("you are not logged in; open this server in a browser and log in")]
    Unauthenticated,
    #[error(
        "this token is none, or has ended or was revoked; make a new one on the account page, or with `hypervisor tokens create`"
    )]
    InvalidToken,
    #[error("this takes the scope `{0}`, which this token lacks; make a token that has it")]
    InsufficientScope(Scope),
    #[error("this token is good for the workspace {0} alone; make another token")]
    OtherWorkspace(String),
    #[error("no token is good for this; do it in a browser, where you are logged in")]
    NoTokens,
    #[error(
        "this is for programs with a token; people do acts with a passkey: POST /auth/acts/start"
    )]
    TokenOnly,
    #[error("people make their own tokens alone; leave `username` out, or ask the operator")]
    OwnTokens,
    #[error("say whose token it is to be, with `username` (`--user`)")]
    WhoseToken,
    #[error("{0} is no member of a workspace {1}; name one of theirs, or none for all of theirs")]
    NoMember(String, String),
    #[error("a token lasts from 1 to {0} days")]
    InvalidDays(u32),
    #[error(
        "a token has one scope at least: sandboxes:read, sandboxes:promote, sandbox:open or admin; and with `admin` it cannot be for one workspace alone"
    )]
    InvalidScopes,
    #[error("you have as many tokens as there may be; revoke those that are not in use")]
    TooManyTokens,
    #[error("this account is disabled or gone; an admin can enable it (`hypervisor users enable`)")]
    UserDisabled,
    #[error("a recovery code only lets you add a passkey; add one, then log in with it")]
    RecoverySession,
    /// The act that it takes.
    #[error(
        "this needs your passkey for the very act; POST /auth/acts/start with the act `{0}`, and its id with your passkey's answer to /auth/acts/finish"
    )]
    PasskeyRequired(&'static str),
    /// A passkey's answer for an act does not prove what it must.
    #[error("your passkey did not confirm this; start again, with a passkey of this account")]
    NotConfirmed,
    #[error("this is the session that you are in; log out to end it")]
    PresentSession,
    #[error("only an admin may do this; ask one")]
    AdminOnly,
    #[error(
        "this is about an account of one's own; its person does it on the account page, with a passkey"
    )]
    PersonOnly,
    #[error("this request came from another site; use the pages of this server")]
    CrossOrigin,
    #[error("too many attempts; wait {retry_after} seconds, then try again")]
    RateLimited { retry_after: u64 },
    /// The path is right and the method is not.
    #[error("this path does not take this method; see the API's table")]
    MethodNotAllowed,
    /// No username.
    #[error(
        "a username is 1 to 254 bytes of letters, digits and the punctuation of email addresses, such as ada@example.org"
    )]
    InvalidUsername,
    /// No name for a person or a passkey.
    #[error("a name has 1 to 64 characters, all of which can be seen")]
    InvalidName,
    #[error("this username is taken; log in, or choose another one")]
    UsernameTaken,
    #[error("this passkey belongs to an account already; log in with it, or choose another one")]
    PasskeyTaken,
    #[error("signing up needs an invite; ask an admin for a link")]
    InviteRequired,
    #[error("this invite is unknown, was used or has ended; ask an admin for a new link")]
    InviteInvalid,
    #[error(
        "this invite is for {0}; sign up with that name, or ask an admin for an invite of your own"
    )]
    InviteBound(String),
    /// There is no place for one more, or not for one of this name.
    #[error("{0}")]
    Placement(#[source] PlacementError),
    #[error("an invite is good for 1 to 8760 hours, which is a year; give `hours` such a number")]
    InvalidHours,
    #[error(
        "{0} has an account already; add them to a workspace with `add_member` (`hypervisor members add`)"
    )]
    AccountExists(String),
    #[error("{0} is the name of somebody else; choose another one")]
    NameTaken(String),
    #[error("{0} is their name already; give another one")]
    SameName(String),
    #[error(
        "this is the last admin who may log in; make somebody else an admin first (`hypervisor users admin`)"
    )]
    LastAdmin,
    /// The passkey or code is good, and its user may not log in.
    #[error("this account is disabled; ask an admin to enable it")]
    AccountDisabled,
    #[error("there is no invite {0}; `hypervisor invites list` has those that there are")]
    NoInvite(Uuid),
    /// There is nothing to be revoked.
    #[error("this invite lets nobody in: {0}")]
    InviteEnded(&'static str),
    #[error("signing up is closed; the operator opens it with the setting `registration`")]
    RegistrationClosed,
    /// The ceremony was used, has ended, or is of another browser or purpose.
    #[error("this attempt was used, took too long or began elsewhere; start again")]
    CeremonyInvalid,
    /// A new passkey does not prove what it must.
    #[error("this passkey could not be verified; start again, and confirm with PIN or biometrics")]
    PasskeyInvalid,
    /// There is no such account, and we may say so.
    #[error("no account found for {0}; check the spelling, or sign up")]
    NoAccount(String),
    /// The log-in does not prove what it must.
    #[error("the log-in failed; try again, with a passkey of this account")]
    LoginFailed,
    /// A passkey of one device counts as two copies of it would.
    #[error(
        "this passkey is not as it was at its last use, so somebody may have copied it; use another passkey or a recovery code, then remove this one"
    )]
    PasskeyChanged,
    #[error("this username and recovery code do not fit; check both, or try another code")]
    RecoveryFailed,
    #[error("this is your last passkey; add another one before you remove it")]
    LastPasskey,
    #[error("there is no such {0} of yours; reload the page")]
    NotFound(&'static str),
    #[error("there is no user {0}; `hypervisor users` lists them")]
    NoUser(String),
    #[error(
        "the store's passkeys are bound to the RP ID `{kept}`, and the config says `{configured}`; set auth.rp_id back to `{kept}`, or set store.path to a new store, where everybody signs up again"
    )]
    RpIdChanged { kept: String, configured: String },
    #[error("{0}")]
    Store(#[source] StoreError),
    /// The passkey library failed, other than by refusing.
    #[error("the passkey library failed: {0}")]
    Webauthn(#[from] webauthn_rs::prelude::WebauthnError),
    #[error("the store has something unreadable ({0}); restore a backup")]
    Unreadable(&'static str),
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error("the request has no peer address")]
    NoPeer,
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Conflict::Username) => Self::UsernameTaken,
            StoreError::Conflict(Conflict::Passkey) => Self::PasskeyTaken,
            StoreError::Conflict(Conflict::Invite) => Self::InviteInvalid,
            StoreError::Conflict(Conflict::LastPasskey) => Self::LastPasskey,
            StoreError::Conflict(Conflict::Session) => Self::Unauthenticated,
            StoreError::Conflict(Conflict::Counter) => Self::PasskeyChanged,
            StoreError::Conflict(Conflict::Tokens) => Self::TooManyTokens,
            StoreError::Conflict(Conflict::NoUser) => Self::UserDisabled,
            StoreError::Conflict(Conflict::Disabled) => Self::AccountDisabled,
            StoreError::Conflict(Conflict::NotAdmin) => Self::AdminOnly,
            StoreError::Conflict(Conflict::LastAdmin) => Self::LastAdmin,
            error => Self::Store(error),
        }
    }
}

impl From<PlacementError> for AuthError {
    fn from(error: PlacementError) -> Self {
        match error {
            PlacementError::Store(error) => error.into(),
            error => Self::Placement(error),
        }
    }
}

impl AuthError {
    /// Whether something is wrong inside, which is for the operator alone.
    pub const fn is_internal(&self) -> bool {
        matches!(
            self,
            Self::RpIdChanged { .. }
                | Self::Store(_)
                | Self::Webauthn(_)
                | Self::Unreadable(_)
                | Self::Random(_)
                | Self::NoPeer
        )
    }
}

impl From<AuthError> for HttpError {
    fn from(error: AuthError) -> Self {
        use AuthError as E;
        let error = match error {
            E::Store(error) | E::Placement(PlacementError::Store(error)) => return error.into(),
            error => error,
        };
        let (status, code) = match &error {
            E::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            E::InvalidToken => (StatusCode::UNAUTHORIZED, "invalid_token"),
            E::InsufficientScope(_) | E::OtherWorkspace(_) => {
                (StatusCode::FORBIDDEN, "insufficient_scope")
            }
            E::NoTokens => (StatusCode::FORBIDDEN, "no_tokens"),
            E::OwnTokens | E::NoMember(..) => (StatusCode::FORBIDDEN, "not_yours"),
            E::WhoseToken => (StatusCode::UNPROCESSABLE_ENTITY, "no_username"),
            E::InvalidDays(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_days"),
            E::InvalidScopes => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_scopes"),
            E::TooManyTokens => (StatusCode::CONFLICT, "too_many_tokens"),
            E::UserDisabled => (StatusCode::CONFLICT, "user_disabled"),
            E::RecoverySession => (StatusCode::FORBIDDEN, "recovery_session"),
            E::PasskeyRequired(_) | E::TokenOnly => (StatusCode::FORBIDDEN, "passkey_required"),
            E::NotConfirmed => (StatusCode::FORBIDDEN, "not_confirmed"),
            E::PresentSession => (StatusCode::CONFLICT, "present_session"),
            E::AdminOnly => (StatusCode::FORBIDDEN, "admin_only"),
            E::PersonOnly => (StatusCode::FORBIDDEN, "person_only"),
            E::CrossOrigin => (StatusCode::FORBIDDEN, "cross_origin"),
            E::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            E::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            E::InvalidUsername => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_username"),
            E::InvalidName => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_name"),
            E::UsernameTaken | E::AccountExists(_) | E::NameTaken(_) => {
                (StatusCode::CONFLICT, "username_taken")
            }
            E::PasskeyTaken => (StatusCode::CONFLICT, "passkey_taken"),
            E::InviteRequired => (StatusCode::FORBIDDEN, "invite_required"),
            E::InviteInvalid => (StatusCode::FORBIDDEN, "invite_invalid"),
            E::InviteBound(_) => (StatusCode::FORBIDDEN, "invite_bound"),
            E::Placement(PlacementError::Reserved { .. }) => {
                (StatusCode::FORBIDDEN, "name_reserved")
            }
            E::Placement(PlacementError::NoSlot { .. }) => {
                (StatusCode::INSUFFICIENT_STORAGE, "no_slot")
            }
            E::Placement(PlacementError::NoWorkspace { .. }) => {
                (StatusCode::FORBIDDEN, "no_workspace")
            }
            E::SameName(_) => (StatusCode::CONFLICT, "same_name"),
            E::LastAdmin => (StatusCode::CONFLICT, "last_admin"),
            E::AccountDisabled => (StatusCode::FORBIDDEN, "account_disabled"),
            E::NoInvite(_) => (StatusCode::NOT_FOUND, "no_invite"),
            E::InviteEnded(_) => (StatusCode::CONFLICT, "invite_ended"),
            E::InvalidHours => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_hours"),
            E::RegistrationClosed => (StatusCode::FORBIDDEN, "registration_closed"),
            E::CeremonyInvalid => (StatusCode::BAD_REQUEST, "ceremony_invalid"),
            E::PasskeyInvalid => (StatusCode::BAD_REQUEST, "passkey_invalid"),
            E::NoAccount(_) => (StatusCode::NOT_FOUND, "no_account"),
            E::LoginFailed => (StatusCode::UNAUTHORIZED, "login_failed"),
            E::PasskeyChanged => (StatusCode::UNAUTHORIZED, "passkey_changed"),
            E::RecoveryFailed => (StatusCode::UNAUTHORIZED, "recovery_failed"),
            E::LastPasskey => (StatusCode::CONFLICT, "last_passkey"),
            E::NotFound(_) | E::NoUser(_) => (StatusCode::NOT_FOUND, "not_found"),
            E::RpIdChanged { .. }
            | E::Placement(PlacementError::Store(_))
            | E::Store(_)
            | E::Webauthn(_)
            | E::Unreadable(_)
            | E::Random(_)
            | E::NoPeer => return internal(&error),
        };
        let told = Self::new(status, code, error.to_string());
        match error {
            E::RateLimited { retry_after } => told.retry_after(retry_after),
            E::OtherWorkspace(_) => told.challenge("Bearer error=\"insufficient_scope\""),
            E::InvalidToken => told.challenge("Bearer error=\"invalid_token\""),
            E::InsufficientScope(scope) => told.challenge(format!(
                "Bearer error=\"insufficient_scope\", scope=\"{scope}\""
            )),
            _ => told,
        }
    }
}

/// What is wrong inside is told to the log and the operator, and a client learns only that something
/// is.
fn internal(error: &AuthError) -> HttpError {
    tracing::error!(%error, "an auth call failed");
    let (status, code) = (StatusCode::INTERNAL_SERVER_ERROR, "internal");
    let told = match error {
        AuthError::Store(error) => HttpError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "store_unavailable",
            format!("{error}. Nothing was changed"),
        ),
        error => HttpError::new(status, code, error.to_string()),
    };
    let said = "something failed on the server; try again, and if it stays so, tell the operator";
    HttpError::new(status, code, said).but_to_operator(told)
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        HttpError::from(self).into_response()
    }
}
