//! Who may call what below `/api`: what each operation's description says, and nobody else.
//!
//! `security(())` is for everybody, `"session"` for people who are logged in, and `"token"` for
//! programs whose token has that scope. What takes the scope `admin` is for admins alone.

use crate::auth::{AuthError, Principal};
use crate::error::HttpError;
use crate::scope::Scope;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::openapi::OpenApi;

/// What it takes to call an operation.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Rule {
    /// Nothing.
    open: bool,
    /// A session does.
    session: bool,
    /// A token with these scopes does.
    token: Option<Vec<Scope>>,
}

/// The rules of all operations, by method and path.
#[derive(Debug)]
pub(super) struct Rules(HashMap<(Method, String), Rule>);

impl Rules {
    /// Those that this document describes; what it says of others than us counts for nothing.
    pub(super) fn of(document: &OpenApi) -> Self {
        let document = serde_json::to_value(document).unwrap_or_default();
        let mut rules = HashMap::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if let Ok(method) = method.to_ascii_uppercase().parse() {
                    rules.insert((method, path.clone()), rule(operation));
                }
            }
        }
        Self(rules)
    }

    fn check(
        &self,
        method: &Method,
        path: &str,
        principal: Option<&Principal>,
    ) -> Result<(), HttpError> {
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let Some(rule) = self.0.get(&(method.clone(), path.to_owned())) else {
            return Err(undescribed());
        };
        Ok(rule.check(principal)?)
    }
}

impl Rule {
    fn check(&self, principal: Option<&Principal>) -> Result<(), AuthError> {
        if self.open {
            return Ok(());
        }
        let principal = principal.ok_or(AuthError::Unauthenticated)?;
        let scopes = self.token.as_deref();
        match (principal, scopes) {
            (Principal::Token(token), Some(scopes)) => {
                scopes.iter().try_for_each(|scope| token.require(*scope))?;
            }
            (Principal::Token(_), None) => return Err(AuthError::NoTokens),
            (Principal::Person(session), _) if self.session => session.require_full()?,
            (Principal::Person(_), _) => return Err(AuthError::TokenOnly),
        }
        let is_for_admins = scopes.is_some_and(|scopes| scopes.contains(&Scope::Admin));
        if is_for_admins && !principal.user().admin {
            return Err(AuthError::AdminOnly);
        }
        Ok(())
    }
}

fn rule(operation: &Value) -> Rule {
    let mut rule = Rule::default();
    for requirement in operation["security"].as_array().into_iter().flatten() {
        let requirement = requirement.as_object();
        rule.open |= requirement.is_some_and(serde_json::Map::is_empty);
        for (scheme, scopes) in requirement.into_iter().flatten() {
            let words = scopes.as_array().into_iter().flatten();
            let scopes = words.map(|word| Scope::parse(word.as_str()?)).collect();
            match &**scheme {
                "session" => rule.session = true,
                // With a scope that there is not, no token is good for it.
                "token" => rule.token = scopes,
                _ => {}
            }
        }
    }
    rule
}

fn undescribed() -> HttpError {
    HttpError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "the API has no such operation; GET /api/openapi.json describes those that it has",
    )
}

/// Lets those through to an operation who may call it.
pub(super) async fn guard(
    State(rules): State<Arc<Rules>>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, HttpError> {
    let principal = Principal::of(request.extensions());
    rules.check(request.method(), path.as_str(), principal.as_ref())?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scopes;
    use serde_json::json;

    fn of(security: &Value) -> Rule {
        rule(&json!({ "security": security }))
    }

    #[test]
    fn what_is_not_described_is_for_nobody() {
        assert_eq!(rule(&json!({})), Rule::default());
        assert_eq!(of(&json!([{ "other": [] }])), Rule::default());
        assert_eq!(of(&json!([{ "token": ["root"] }])).token, None);
        let open = of(&json!([{}]));
        assert!(open.open && !open.session && open.token.is_none());
        assert!(Rule::default().check(None).is_err());
        assert!(open.check(None).is_ok());
    }

    #[test]
    fn each_alternative_is_one() {
        let rule = of(&json!([{ "session": [] }, { "token": ["admin", "sandboxes:read"] }]));
        assert!(rule.session && !rule.open);
        let scopes: Scopes = rule.token.into_iter().flatten().collect();
        assert!(scopes.has(Scope::Admin) && scopes.has(Scope::SandboxesRead));
    }
}
