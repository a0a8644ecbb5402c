//! Paths of which no system makes what they are for.

use super::{Config, Verdict};
use crate::unix_socket::LONGEST_PATH;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

pub(super) fn paths(config: &Config) -> Verdict {
    store(&config.store.path)?;
    sockets(config)?;
    let (server, tls, runtime) = (&config.server, &config.tls, &config.runtime);
    let acme = tls.acme.as_ref();
    let named = [
        (
            "server.metrics_token_file",
            server.metrics_token_file.as_deref(),
        ),
        ("tls.cert", tls.cert.as_deref()),
        ("tls.key", tls.key.as_deref()),
        ("tls.acme_webroot", tls.acme_webroot.as_deref()),
        ("tls.acme.dir", acme.and_then(|it| it.dir.as_deref())),
        (
            "tls.acme.ca_file",
            acme.and_then(|it| it.ca_file.as_deref()),
        ),
        ("runtime.seal_file", runtime.seal_file.as_deref()),
        ("runtime.releases_dir", runtime.releases_dir.as_deref()),
        ("runtime.results_dir", runtime.results_dir.as_deref()),
        ("runtime.streams_dir", runtime.streams_dir.as_deref()),
        ("runtime.backups_dir", runtime.backups_dir.as_deref()),
        ("runtime.data_dir", Some(runtime.data_dir.as_path())),
        ("shell.dir", config.shell.dir.as_deref()),
        ("store.ca_file", config.store.ca_file.as_deref()),
        ("store.password_file", config.store.password_file.as_deref()),
    ];
    for (key, path) in named {
        is_path(key, path)?;
    }
    Ok(())
}

fn is_path(key: &str, path: Option<&Path>) -> Verdict {
    let bytes = path.map(|path| path.as_os_str().as_bytes());
    if bytes.is_some_and(|bytes| bytes.is_empty() || bytes.contains(&0)) {
        return Err(format!(
            "{key}: that is no path; give one, or leave the key out"
        ));
    }
    Ok(())
}

fn store(path: &Path) -> Verdict {
    is_path("store.path", Some(path))?;
    let is_folder =
        path.file_name().is_none() || path.as_os_str().as_bytes().ends_with(b"/") || path.is_dir();
    if is_folder {
        return Err(format!(
            "store.path: {} is a folder; name the file in it, such as {}",
            path.display(),
            path.join("hypervisor.db").display()
        ));
    }
    Ok(())
}

/// The system takes no longer path for a Unix socket, and would say so only at the start.
fn sockets(config: &Config) -> Verdict {
    let control = config.control_socket();
    let proxy = config.server.proxy_socket.as_deref();
    // The longest name of one that is sent, and any id.
    let stream = config.runtime.streams_dir.as_ref();
    let stream = stream.map(|folder| folder.join("s8000-live/20260131T235959Z-1f2e"));
    let named = [
        ("server.control_socket", Some(control.as_path())),
        ("server.proxy_socket", proxy),
        (
            "runtime.logs_socket",
            Some(config.runtime.logs_socket.as_path()),
        ),
        ("runtime.streams_dir", stream.as_deref()),
    ];
    for (key, path) in named {
        is_path(key, path)?;
        let Some(path) = path else { continue };
        let bytes = path.as_os_str().as_bytes();
        if bytes.len() > LONGEST_PATH {
            return Err(format!(
                "{key}: {} has {} bytes, and the path of a Unix socket has {LONGEST_PATH} at most; give a shorter one",
                path.display(),
                bytes.len()
            ));
        }
    }
    if proxy == Some(&control) {
        return Err(format!(
            "server.proxy_socket: {} is the operator's socket; give another path",
            control.display()
        ));
    }
    Ok(())
}
