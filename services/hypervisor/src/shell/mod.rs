//! The pages that are ours and not a sandbox's: log in, sign up, recovery and the account.
//!
//! Plain HTML, CSS and ES modules, embedded, and put into one script and one style sheet for each
//! page at the start. The pages hold no data: their scripts ask the JSON API, and everything that
//! a script shows goes in as text.

mod assets;
mod bundle;
mod data;
mod headers;

use crate::Body;
use crate::config::Config;
use crate::error::HttpError;
use assets::{Asset, Assets};
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::routing::{MethodRouter, get};
use headers::Headers;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::Value;
use std::sync::Arc;

/// The pages and their assets, as they are served.
pub struct Shell {
    assets: Assets,
    headers: Headers,
}

impl Shell {
    /// The pages of a gateway with this configuration.
    pub fn new(config: &Config) -> Arc<Self> {
        let origin = config.origin();
        Arc::new(Self {
            assets: Assets::load(config.shell.dir.as_deref(), &origin, config.prefix()),
            headers: Headers::new(&origin, config.prefix()),
        })
    }

    /// The page on which an act is confirmed, for a top-level navigation alone.
    ///
    /// # Errors
    /// 404, if the page was left out.
    pub fn act(&self, act: &Value) -> Result<Response<Body>, HttpError> {
        let page = self.assets.get("act.html").ok_or_else(not_found)?;
        let bytes = data::with_data(&page.bytes, act);
        Ok(self.headers.page(page, bytes))
    }
}

/// Serves the pages and their assets. Whoever mounts it decides who may see `/auth/account`, and
/// takes off `gateway_prefix`.
pub fn router(shell: Arc<Shell>) -> Router {
    Router::new()
        .route("/login", page("login.html"))
        .route("/register", page("login.html"))
        .route("/recovery", page("recovery.html"))
        .route("/account", page("account.html"))
        .route("/auth/account", page("account.html"))
        .route("/admin", page("admin.html"))
        .route("/auth/assets/{*file}", get(asset))
        .with_state(shell)
}

fn page(name: &'static str) -> MethodRouter<Arc<Shell>> {
    get(move |State(shell): State<Arc<Shell>>| async move {
        let page = shell.assets.get(name).ok_or_else(not_found)?;
        Ok::<_, HttpError>(shell.headers.page(page, page.bytes.clone()))
    })
}

async fn asset(
    State(shell): State<Arc<Shell>>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response<Body>, HttpError> {
    // A page is served under its own address only, with that address's headers.
    let asset = shell.assets.get(&file).filter(|asset| !asset.is_page());
    let asset = asset.ok_or_else(not_found)?;
    let version = query.as_deref().and_then(|query| query.strip_prefix("v="));
    Ok(if version == Some(asset.version()) {
        shell.headers.versioned(asset)
    } else if is_known(asset, &headers) {
        shell.headers.not_modified(asset)
    } else {
        shell.headers.asset(asset)
    })
}

/// Whether the client says that it has these very bytes.
fn is_known(asset: &Asset, headers: &HeaderMap) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || asset.etag == tag)
}

fn not_found() -> HttpError {
    HttpError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "There is no such file; reload the page that asked for it.",
    )
}

#[cfg(test)]
mod tests;
