//! How often somebody could not log in, and why.

use super::AuthError;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a log-in or a recovery failed. There are these causes alone, however many names are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// There is no such account.
    UnknownAccount,
    /// The passkey does not prove what it must.
    Passkey,
    /// The passkey may have been copied.
    PasskeyChanged,
    /// The code is not this account's.
    RecoveryCode,
    /// The attempt was used, took too long or began elsewhere.
    Ceremony,
    /// There were too many attempts.
    RateLimited,
    /// Something failed on the server.
    Internal,
    /// Whatever else is said to the client.
    Other,
}

const CAUSES: [(Cause, &str); 8] = [
    (Cause::UnknownAccount, "unknown_account"),
    (Cause::Passkey, "passkey"),
    (Cause::PasskeyChanged, "passkey_changed"),
    (Cause::RecoveryCode, "recovery_code"),
    (Cause::Ceremony, "ceremony"),
    (Cause::RateLimited, "rate_limited"),
    (Cause::Internal, "internal"),
    (Cause::Other, "other"),
];

/// Log-ins that failed, by cause.
#[derive(Debug, Default)]
pub struct LoginFailures([AtomicU64; CAUSES.len()]);

impl LoginFailures {
    /// Each cause, and how many failed because of it.
    pub fn all(&self) -> [(&'static str, u64); CAUSES.len()] {
        CAUSES.map(|(cause, name)| (name, self.0[cause as usize].load(Ordering::Relaxed)))
    }

    /// The outcome of an attempt, counted if it failed.
    pub(super) fn counted<T>(&self, outcome: Result<T, AuthError>) -> Result<T, AuthError> {
        if let Err(error) = &outcome {
            self.0[Cause::of(error) as usize].fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }
}

impl Cause {
    fn of(error: &AuthError) -> Self {
        match error {
            AuthError::NoAccount(_) => Self::UnknownAccount,
            AuthError::LoginFailed | AuthError::PasskeyInvalid => Self::Passkey,
            AuthError::PasskeyChanged => Self::PasskeyChanged,
            AuthError::RecoveryFailed => Self::RecoveryCode,
            AuthError::CeremonyInvalid => Self::Ceremony,
            AuthError::RateLimited { .. } => Self::RateLimited,
            error if error.is_internal() => Self::Internal,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_counts_for_its_cause_alone() {
        let failures = LoginFailures::default();
        for error in [
            AuthError::NoAccount("ada".into()),
            AuthError::LoginFailed,
            AuthError::LoginFailed,
            AuthError::RateLimited { retry_after: 1 },
            AuthError::NoPeer,
            AuthError::InvalidUsername,
        ] {
            assert!(failures.counted::<()>(Err(error)).is_err());
        }
        assert_eq!(failures.counted(Ok(1)).unwrap(), 1);
        let counted = failures.all().into_iter().filter(|(_, count)| *count > 0);
        assert_eq!(
            counted.collect::<Vec<_>>(),
            [
                ("unknown_account", 1),
                ("passkey", 2),
                ("rate_limited", 1),
                ("internal", 1),
                ("other", 1)
            ]
        );
    }
}
