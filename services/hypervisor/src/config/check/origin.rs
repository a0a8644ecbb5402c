//! The origin and the RP ID, as browsers take them.

use super::{Config, Verdict};
use url::{Host, Url};

/// Browsers refuse passkeys whose RP ID is not the origin's host or a parent of it, and any
/// origin that is neither https nor localhost; better to say so before anyone tries.
pub(super) fn origin(config: &Config) -> Verdict {
    let origin = config.origin();
    let rp_id = &config.auth.rp_id;
    let Some(Host::Domain(host)) = origin.host() else {
        return Err(format!(
            "auth.origin: {origin} has no domain name; passkeys need one, such as http://localhost:9090"
        ));
    };
    if !bare(&origin) || origin.port() == Some(0) {
        return Err(format!(
            "auth.origin: {origin} must be scheme, host and port only, such as https://{host}"
        ));
    }
    let local = host == "localhost" || host.ends_with(".localhost");
    if origin.scheme() != "https" && !(origin.scheme() == "http" && local) {
        return Err(format!(
            "auth.origin: {origin} must be https; browsers allow passkeys over http on localhost alone"
        ));
    }
    if rp_id.is_empty() || host != rp_id && !host.ends_with(&format!(".{rp_id}")) {
        return Err(format!(
            "auth.rp_id: `{rp_id}` is neither `{host}`, the host of auth.origin, nor a parent domain of it, so browsers would refuse every passkey; set it to `{host}`"
        ));
    }
    if is_public(rp_id, host) {
        let remedy = if host == rp_id {
            "have a name of your own below it".to_owned()
        } else {
            format!("set it to `{host}`")
        };
        return Err(format!(
            "auth.rp_id: `{rp_id}` is a public suffix, below which anybody can have a name, and browsers refuse passkeys for it; {remedy}"
        ));
    }
    Ok(())
}

fn bare(origin: &Url) -> bool {
    origin.path() == "/"
        && origin.query().is_none()
        && origin.fragment().is_none()
        && origin.username().is_empty()
        && origin.password().is_none()
}

/// Whether browsers take it for a public suffix: by the list that they have, too, and, as the
/// parent of a host, any name without a dot.
fn is_public(rp_id: &str, host: &str) -> bool {
    let suffix = psl::suffix(rp_id.as_bytes());
    rp_id != "localhost"
        && suffix.is_some_and(|suffix| {
            suffix.as_bytes() == rp_id.as_bytes() && (suffix.is_known() || host != rp_id)
        })
}
