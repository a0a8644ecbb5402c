//! What `store.url` says.

use std::net::IpAddr;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// The server that a URL names; over a network only with TLS.
pub(crate) fn server(url: &str) -> Result<Config, String> {
    const FORM: &str = "give postgres://user@host:5432/database";
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(format!("store.url: it is no URL of PostgreSQL; {FORM}"));
    }
    // The error may have a part of it in its words, such as a password.
    let parsed = url.parse::<Config>();
    let mut config = parsed.map_err(|_| format!("store.url: it cannot be understood; {FORM}"))?;
    if config.get_password().is_some() {
        return Err(
            "store.url: a password stands in it, where every user of this machine may see it; \
                    put it into a file of its own, and name that with store.password_file"
                .into(),
        );
    }
    if config.get_dbname().is_none() || config.get_hosts().is_empty() {
        return Err(format!(
            "store.url: it names no host or no database; {FORM}"
        ));
    }
    if config.get_hosts().iter().any(is_remote) {
        if config.get_ssl_mode() == SslMode::Disable {
            return Err(
                "store.url: with sslmode=disable accounts would go over the network for \
                        everyone to read; leave it out"
                    .into(),
            );
        }
        config.ssl_mode(SslMode::Require);
    }
    // Of several hosts, the one that is no standby.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    Ok(config)
}

fn is_remote(host: &Host) -> bool {
    match host {
        Host::Unix(_) => false,
        Host::Tcp(name) => {
            let address = name.parse::<IpAddr>();
            name != "localhost" && !address.is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_server_is_refused_without_its_secret() {
        for (url, mend) in [
            ("mysql://h/d", "no URL of PostgreSQL"),
            ("postgres://u:hunter2@h/d", "store.password_file"),
            ("postgres://u@h/d?password=hunter2", "store.password_file"),
            ("postgres://u:hunter2@h/d?such=1", "cannot be understood"),
            ("postgres://u@h", "no database"),
            ("postgres:///d?user=u", "no host"),
            ("postgres://u@h/d?sslmode=disable", "leave it out"),
            (
                "postgres://u@h1,localhost/d?sslmode=disable",
                "leave it out",
            ),
        ] {
            let said = server(url).unwrap_err();
            assert!(
                said.starts_with("store.url: ") && said.contains(mend),
                "{url}: {said}"
            );
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted() {
        for (url, mode) in [
            ("postgres://u@db.example.org/d", SslMode::Require),
            ("postgres://u@10.0.0.1/d?sslmode=prefer", SslMode::Require),
            ("postgresql://u@[2001:db8::1]:5433/d", SslMode::Require),
            ("postgres://u@localhost/d", SslMode::Prefer),
            ("postgres://u@127.0.0.1/d?sslmode=disable", SslMode::Disable),
            ("postgres:///d?user=u&host=/run/postgresql", SslMode::Prefer),
        ] {
            assert_eq!(server(url).unwrap().get_ssl_mode(), mode, "{url}");
        }
    }
}
