//! `[tls]`: its form. What is in its files is read by `serve` alone: where a configuration is
//! built they may not be there yet, and who checks one need not be able to read a key.

use super::{Config, Verdict};
use crate::http1::is_host;

pub(super) fn tls(config: &Config) -> Verdict {
    pair(config)?;
    origin(config)?;
    http_listen(config)?;
    redirect_hosts(config)
}

/// Certificate and key come together, and all else needs them.
fn pair(config: &Config) -> Verdict {
    let tls = &config.tls;
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
            "{key}: there is no TLS to go with it; set tls.cert and tls.key, or leave it out"
        )),
        None => Ok(()),
    }
}

fn origin(config: &Config) -> Verdict {
    let origin = config.origin();
    if config.tls.is_on() && origin.scheme() != "https" {
        return Err(format!(
            "auth.origin: {origin} is not what browsers see of a server with tls.cert; make it https"
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
