//! What every sandbox is told, whatever its release.

use crate::runtime::Spec;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

/// The folders that programs are looked for in, if this process knows none.
const FALLBACK_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The names of it all, which no release can set.
pub(super) const NAMES: [&str; 8] = [
    "PATH",
    "PORT",
    "DATA_DIR",
    "SANDBOX_DATA_DIR",
    "SANDBOX_NAME",
    "SANDBOX_INSTANCE_ROLE",
    "SANDBOX_LISTEN",
    "SANDBOX_RELEASE",
];

/// Nothing of this process's own environment but the path.
pub(super) fn environment(
    spec: &Spec,
    release: u64,
    address: SocketAddr,
    volume: &Path,
) -> [(&'static str, OsString); NAMES.len()] {
    let path = std::env::var_os("PATH").unwrap_or_else(|| FALLBACK_PATH.into());
    [
        ("PATH", path),
        ("PORT", address.port().to_string().into()),
        ("DATA_DIR", volume.into()),
        ("SANDBOX_DATA_DIR", volume.into()),
        ("SANDBOX_NAME", (&spec.name).into()),
        ("SANDBOX_INSTANCE_ROLE", spec.instance_role.as_str().into()),
        ("SANDBOX_LISTEN", address.to_string().into()),
        ("SANDBOX_RELEASE", release.to_string().into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::role::Role;

    #[test]
    fn no_release_can_set_what_every_sandbox_is_told() {
        let spec = Spec {
            name: "w-live".into(),
            workspace: "w".into(),

            slot: None,
            instance_role: Role::Live,
            declared: config::Sandbox::default(),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let told = environment(&spec, 1, address, Path::new("/data"));
        assert_eq!(told.map(|(name, _)| name), NAMES);
    }
}
