//! Why an order came to nothing, and how that is mended.

use super::http::HttpError;
use instant_acme::{Error, Problem};
use std::fmt;
use std::time::{Duration, Instant};

/// What stands before the types of problems (RFC 8555, 6.7).
const TYPE: &str = "urn:ietf:params:acme:error:";

/// Whose fault it is, so far as the next attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No name would have had better luck.
    Authority,
    /// Another name might.
    Name,
}

/// Why an order came to nothing: a sentence with its mend.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    pub(super) said: String,
    /// How long the authority asked to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// The account is unknown to the authority.
    pub(super) no_account: bool,
    /// The authority refused a request for its number, which has nothing to do with what it asked.
    pub(super) bad_nonce: bool,
}

impl Failure {
    pub(super) fn new(fault: Fault, said: impl Into<String>) -> Self {
        Self {
            fault,
            said: said.into(),
            retry_after: None,
            no_account: false,
            bad_nonce: false,
        }
    }

    /// Of what the authority said of a name, or of an order for it.
    pub(super) fn refused(problem: &Problem) -> Self {
        Self::of_problem(problem, true)
    }

    /// Of what went wrong on the way to an order, or in it.
    pub(super) fn of(error: Error) -> Self {
        match error {
            Error::Api(problem) => Self::of_problem(&problem, false),
            Error::Timeout(next) => {
                let mut failure = Self::new(
                    Fault::Name,
                    "the authority did not decide in time; it is asked again",
                );
                failure.retry_after = next.map(|at| at.saturating_duration_since(Instant::now()));
                failure
            }
            Error::Other(error) => match error.downcast_ref::<HttpError>() {
                Some(error) => Self::new(Fault::Authority, error.to_string()),
                None => Self::new(Fault::Authority, format!("{error}; {DIRECTORY}")),
            },
            error => Self::new(
                Fault::Authority,
                format!("its answer is not ACME's ({error}); {DIRECTORY}"),
            ),
        }
    }

    fn of_problem(problem: &Problem, of_challenge: bool) -> Self {
        let kind = problem.r#type.as_deref().unwrap_or_default();
        let kind = kind.strip_prefix(TYPE).unwrap_or(kind);
        let (fault, mend) = mend(kind, of_challenge);
        // What others say is put into one line of the log, and not all of it.
        let mut detail = problem.detail.clone().unwrap_or_default();
        for more in &problem.subproblems {
            detail = format!("{detail} {more}");
        }
        let detail: String = detail
            .chars()
            .filter(|it| !it.is_control())
            .take(300)
            .collect();
        let detail = detail.trim().trim_end_matches('.');
        Self {
            no_account: kind == "accountDoesNotExist",
            bad_nonce: kind == "badNonce",
            ..Self::new(fault, format!("{detail} ({kind}); {mend}"))
        }
    }
}

const DIRECTORY: &str = "see whether tls.acme.directory is the URL of an ACME directory";

/// The mend of a problem of this kind; `of_challenge` if it came of looking at the name.
fn mend(kind: &str, of_challenge: bool) -> (Fault, &'static str) {
    let (name, authority) = (Fault::Name, Fault::Authority);
    match kind {
        "dns" => (name, "point the name's DNS records (A, AAAA) at this host"),
        "connection" | "tls" | "incorrectResponse" => (name, REACHABLE),
        "unauthorized" if of_challenge => (name, REACHABLE),
        "caa" => (
            name,
            "have the CAA records of its domain allow this authority",
        ),
        "rateLimited" => (
            name,
            "wait, or give a wildcard certificate in tls.cert and tls.key",
        ),
        "rejectedIdentifier" | "unsupportedIdentifier" => (
            name,
            "give this host a public name, or choose another authority in tls.acme.directory",
        ),
        "invalidContact" | "unsupportedContact" => (authority, "mend tls.acme.email"),
        "externalAccountRequired" => (
            authority,
            "this authority wants an account that was made elsewhere; choose another in tls.acme.directory",
        ),
        "userActionRequired" => (
            authority,
            "agree to the authority's new terms as it says, with the account in tls.acme.dir",
        ),
        "unauthorized" | "accountDoesNotExist" => (
            authority,
            "move account.json out of tls.acme.dir, and there is a new account",
        ),
        "serverInternal" | "badNonce" => (authority, "it is asked again"),
        _ if of_challenge => (name, REACHABLE),
        _ => (name, "it is asked again"),
    }
}

const REACHABLE: &str = "let the internet reach port 443 of this host by that name, with nothing before it that ends TLS";

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(kind: &str, detail: &str) -> Problem {
        let text = serde_json::json!({ "type": format!("{TYPE}{kind}"), "detail": detail });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn each_problem_is_one_line_with_its_mend_and_holds_up_whom_it_must() {
        for (kind, of_challenge, fault, hint) in [
            ("dns", true, Fault::Name, "DNS records"),
            ("connection", true, Fault::Name, "port 443"),
            ("unauthorized", true, Fault::Name, "port 443"),
            ("unauthorized", false, Fault::Authority, "account.json"),
            ("rateLimited", false, Fault::Name, "wildcard"),
            ("rejectedIdentifier", false, Fault::Name, "public name"),
            ("invalidContact", false, Fault::Authority, "tls.acme.email"),
            ("serverInternal", false, Fault::Authority, "again"),
            ("noSuchThing", true, Fault::Name, "port 443"),
        ] {
            let failure = Failure::of_problem(&problem(kind, "Some\nthing."), of_challenge);
            let said = failure.to_string();
            assert_eq!(failure.fault, fault, "{said}");
            assert!(said.starts_with(&format!("Something ({kind}); ")), "{said}");
            assert!(said.contains(hint), "{said}");
        }
        let long = Failure::refused(&problem("dns", &"x".repeat(9000)));
        assert!(long.to_string().len() < 500);
        let gone = Failure::of(Error::Api(problem("accountDoesNotExist", "")));
        assert!(gone.no_account);
    }
}
