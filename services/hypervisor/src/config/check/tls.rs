//! `[tls]`: its form. What is in its files is read by `serve` alone: where a configuration is
//! built they may not be there yet, and who checks one need not be able to read a key.

use super::{Config, Verdict};
use crate::config::Acme;
use crate::http1::is_host;
use std::net::IpAddr;
use url::Url;

pub(super) fn tls(config: &Config) -> Verdict {
    certificates(config)?;
    if let Some(it) = &config.tls.acme {
        acme(config, it)?;
    }
    origin(config)?;
    http_listen(config)?;
    redirect_hosts(config)
}

/// Certificate and key come together or from an authority, and all else needs them.
fn certificates(config: &Config) -> Verdict {
    let tls = &config.tls;
    if tls.acme.is_some() {
        let others = [
            ("tls.cert", tls.cert.is_some()),
            ("tls.key", tls.key.is_some()),
            ("tls.acme_webroot", tls.acme_webroot.is_some()),
        ];
        return match others.iter().find(|(_, given)| *given) {
            Some((key, _)) => Err(format!(
                "{key}: with [tls.acme] the gateway gets its certificates by itself; leave one of the two out"
            )),
            None => Ok(()),
        };
    }
    match (&tls.cert, &tls.key) {
        (Some(_), Some(_)) => return Ok(()),
        (Some(_), None) => {
            return Err("tls.key: a certificate needs its key; give the PEM file that tls.cert was issued for".into());
        }
        (None, Some(_)) => {
            return Err(
                "tls.cert: a key needs its certificate; give the PEM file with the chain".into(),
            );
        }
        (None, None) => {}
    }
    let orphans = [
        ("tls.http_listen", !tls.http_listen.is_empty()),
        ("tls.acme_webroot", tls.acme_webroot.is_some()),
        ("tls.redirect_hosts", !tls.redirect_hosts.is_empty()),
    ];
    match orphans.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(format!(
            "{key}: there is no TLS to go with it; set tls.cert and tls.key, or [tls.acme], or leave it out"
        )),
        None => Ok(()),
    }
}

/// What an authority needs to be told, and names that one issues for.
fn acme(config: &Config, acme: &Acme) -> Verdict {
    if !acme.accept_terms {
        return Err(format!(
            "tls.acme.accept_terms: there is no certificate without the terms of service of {}; read them, and set it to true",
            acme.directory
        ));
    }
    let is_https = Url::parse(&acme.directory)
        .is_ok_and(|url| url.scheme() == "https" && url.has_host() && url.username().is_empty());
    if !is_https {
        return Err(format!(
            "tls.acme.directory: `{}` is no https URL; give that of an ACME directory, such as {}",
            acme.directory.escape_debug(),
            Acme::default().directory
        ));
    }
    if let Some(email) = &acme.email
        && !is_email(email)
    {
        return Err(format!(
            "tls.acme.email: `{}` is no address; give one such as ops@example.org, or leave it out",
            email.escape_debug()
        ));
    }
    let origin = config.origin();
    let hosts = config.tls.redirect_hosts.iter().map(String::as_str);
    let mut named = hosts
        .map(|host| ("tls.redirect_hosts", host))
        .chain(origin.host_str().map(|host| ("auth.origin", host)));
    let local = |host: &str| {
        !host.contains('.') || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok()
    };
    match named.find(|(_, host)| local(host)) {
        Some((key, host)) => Err(format!(
            "{key}: no authority issues a certificate for {host}; give a name that DNS has, or give tls.cert and tls.key in the place of [tls.acme]"
        )),
        None => Ok(()),
    }
}

/// What stands behind `mailto:` as it is.
fn is_email(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"\",<>?&#%/:;()[]\\".contains(&byte);
    let parts = text.split_once('@');
    text.bytes().all(fits)
        && parts.is_some_and(|(name, host)| !name.is_empty() && is_host(host.as_bytes()))
}

fn origin(config: &Config) -> Verdict {
    let origin = config.origin();
    if config.tls.is_on() && origin.scheme() != "https" {
        return Err(format!(
            "auth.origin: {origin} is not what browsers see of a server with [tls]; make it https"
        ));
    }
    Ok(())
}

fn http_listen(config: &Config) -> Verdict {
    for (index, address) in config.tls.http_listen.iter().enumerate() {
        if address.port() == 0 {
            return Err(format!(
                "tls.http_listen: nobody finds {address}; give a port that is not 0, such as 80"
            ));
        }
        if *address == config.server.listen {
            return Err(format!(
                "tls.http_listen: {address} is server.listen, which speaks TLS; give another port, such as 80"
            ));
        }
        if config.tls.http_listen[..index].contains(address) {
            return Err(format!(
                "tls.http_listen: {address} is there twice; remove one"
            ));
        }
    }
    Ok(())
}

/// Names as a URL has them, so that none is compared in vain.
fn redirect_hosts(config: &Config) -> Verdict {
    let origin = config.origin();
    for host in &config.tls.redirect_hosts {
        let is_name = is_host(host.as_bytes())
            && !host.contains(':')
            && !host.ends_with('.')
            && !host.contains(|c: char| c.is_ascii_uppercase());
        if !is_name {
            return Err(format!(
                "tls.redirect_hosts: `{}` is no host; give a name in lowercase without a port, such as www.example.org",
                host.escape_debug()
            ));
        }
        if origin.host_str() == Some(host) {
            return Err(format!(
                "tls.redirect_hosts: {host} is the host of auth.origin itself; remove it"
            ));
        }
    }
    Ok(())
}
