//! The hosts of sandboxes, and the path of the gateway's own pages.

use super::{Config, Verdict};
use crate::config::Origins;
use crate::http1::is_target;
use crate::role::Role;

pub(super) fn origins(config: &Config) -> Verdict {
    match config.origins {
        Origins::Own => own(config),
        Origins::Shared => shared(config),
    }
}

fn own(config: &Config) -> Verdict {
    if config.gateway_prefix.is_some() {
        return Err(
            "gateway_prefix: with origins = \"own\" no sandbox shares the gateway's paths; leave it out, or set origins = \"shared\"".into(),
        );
    }
    let domain = config.sandbox_domain();
    if !is_domain(&domain) {
        return Err(format!(
            "sandbox_domain: `{domain}` is no domain; give a name without scheme and port, such as sandboxes.example.org"
        ));
    }
    let is_local = domain == "localhost" || domain.ends_with(".localhost");
    if config.origin().scheme() != "https" && !is_local {
        return Err(format!(
            "sandbox_domain: `{domain}` is served over http, which browsers trust on localhost alone; leave it out, or set auth.origin to https"
        ));
    }
    let gateway = config.origin().host_str().map(str::to_ascii_lowercase);
    let taken = config.tls.redirect_hosts.iter().map(String::as_str);
    for host in taken.chain(gateway.as_deref()) {
        let hosts = |(name, role)| config.sandbox_host(name, role).eq_ignore_ascii_case(host);
        let names = config.workspaces.keys();
        let all = names.flat_map(|name| [(&**name, Role::Live), (&**name, Role::Dev)]);
        if let Some((name, role)) = all.clone().find(|it| hosts(*it)) {
            return Err(format!(
                "workspaces.{name}: its {role} sandbox would be at {host}, which is a host of the gateway; give the workspace another name, or set sandbox_domain"
            ));
        }
    }
    Ok(())
}

fn shared(config: &Config) -> Verdict {
    if config.sandbox_domain.is_some() {
        return Err(
            "sandbox_domain: with origins = \"shared\" sandboxes have no host of their own; leave it out, or set origins = \"own\"".into(),
        );
    }
    let Some(prefix) = &config.gateway_prefix else {
        return Ok(());
    };
    let is_path = prefix.starts_with('/')
        && !prefix.ends_with('/')
        && !prefix.contains("//")
        && prefix
            .bytes()
            .all(|byte| is_target(byte) && !b"?#%{}\"'<>&".contains(&byte))
        && prefix != "/dev"
        && !prefix.starts_with("/dev/");
    if is_path {
        return Ok(());
    }
    Err(format!(
        "gateway_prefix: `{prefix}` is not a path of the gateway's own; it begins with a slash, ends with none, has nothing in it that a URL or a page would have to escape, and is not below /dev, such as /.choiros"
    ))
}

/// Whether it can stand behind a sandbox's name in a host: labels of lowercase letters, digits and
/// inner hyphens.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // Room for the longest label before it.
    domain.len() <= 189
        && domain.split('.').all(is_label)
        && domain.parse::<std::net::IpAddr>().is_err()
}
