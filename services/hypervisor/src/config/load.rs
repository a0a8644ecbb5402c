//! Reads the file and lays the environment over it.
//!
//! `HYPERVISOR_<SECTION>_<KEY>` sets any scalar or list, and the ancestor's six names still work.
//! Every refused value is named with its place: line and column of the file, or the variable.

use super::{Config, check};
use serde::Deserialize as _;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

/// Why there is no configuration. Each sentence says where the mistake is.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field is told by its name")]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}; give --config a readable TOML file", path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The file is not TOML, or has unknown keys or values of a wrong type.
    #[error("{}: {source}", path.display())]
    Invalid {
        path: PathBuf,
        source: toml::de::Error,
    },
    /// A variable that sets nothing, or sets it wrongly.
    #[error("environment variable {name}: {message}")]
    Variable { name: String, message: String },
    /// Well-formed, but it makes no sense.
    #[error("{0}")]
    Nonsense(String),
}

/// The ancestor's names, and the keys that they set today.
pub(super) const ANCESTOR: [(&str, &[&str]); 6] = [
    ("WEBAUTHN_RP_ID", &["auth", "rp_id"]),
    ("WEBAUTHN_RP_ORIGIN", &["auth", "origin"]),
    ("HYPERVISOR_PORT", &["server", "port"]),
    (
        "SANDBOX_LIVE_PORT",
        &["workspaces", "sandbox", "live", "port"],
    ),
    (
        "SANDBOX_DEV_PORT",
        &["workspaces", "sandbox", "dev", "port"],
    ),
    ("FRONTEND_DIST", &["shell", "dir"]),
];

const SECTIONS: [&str; 10] = [
    "server", "tls", "auth", "store", "cluster", "proxy", "runtime", "shell", "log", "slots",
];

pub(super) const PREFIX: &str = "HYPERVISOR_";

/// The configuration of `file` with the variables `env` over it, checked.
///
/// What is parsed borrows from the text: with thousands of workspaces, a copy of all of it would
/// be most of what the program ever needs.
///
/// # Errors
/// The first mistake, as a sentence that says where it is and how it is mended.
pub fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let text = file.map_or_else(|| Ok(String::new()), read)?;
    let invalid = |source| ConfigError::Invalid {
        path: file.unwrap_or(Path::new("")).into(),
        source,
    };
    // By itself first: what is wrong in the file stays wrong with a variable over it.
    toml::from_str::<Config>(&text).map_err(invalid)?;
    let variables: Vec<_> = env
        .into_iter()
        .filter_map(|(name, value)| Some((keys_of(&name)?, name, value)))
        .collect();
    let mut table = DeTable::parse(&text).map_err(invalid)?;
    for (keys, name, value) in &variables {
        set_variable(table.get_mut(), name, keys, value)?;
    }
    let config = Config::deserialize(Deserializer::from(table))
        .map_err(|error| ConfigError::Nonsense(error.to_string()))?;
    check::check(config).map_err(ConfigError::Nonsense)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.into(),
        source,
    })
}

/// The keys that a variable sets; `None` if it is none of ours.
pub(super) fn keys_of(name: &str) -> Option<Vec<String>> {
    if let Some((_, keys)) = ANCESTOR.iter().find(|(ancestor, _)| *ancestor == name) {
        return Some(keys.iter().map(ToString::to_string).collect());
    }
    let rest = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
    match rest.split_once('_') {
        Some((section, key)) if SECTIONS.contains(&section) => {
            let inner = key.split_once('_').filter(|_| key != "acme_webroot");
            Some(match inner {
                Some((inner, key)) if (section, inner) == ("tls", "acme") => {
                    [section, inner, key].map(str::to_owned).into()
                }
                _ => [section, key].map(str::to_owned).into(),
            })
        }
        _ => Some(vec![rest]),
    }
}

/// Sets one variable in the table; the value is TOML if that fits, and else a string.
fn set_variable<'i>(
    table: &mut DeTable<'i>,
    name: &str,
    keys: &'i [String],
    value: &'i str,
) -> Result<(), ConfigError> {
    let typed = DeValue::parse(value).ok().map(Spanned::into_inner);
    let typed = typed.filter(|value| !value.is_table());
    let mut refusal = String::new();
    for candidate in typed.into_iter().chain([DeValue::String(value.into())]) {
        // Whether it fits does not depend on the rest, which may be long.
        let mut alone = DeTable::new();
        set(&mut alone, keys, candidate.clone());
        match Config::deserialize(Deserializer::from(nowhere(alone))) {
            Ok(_) => {
                set(table, keys, candidate);
                return Ok(());
            }
            // The typed reading comes first, and its complaint is the more helpful one.
            Err(error) if refusal.is_empty() => error.message().clone_into(&mut refusal),
            Err(_) => {}
        }
    }
    Err(ConfigError::Variable {
        name: name.to_owned(),
        message: format!("{refusal} (it sets `{}`)", keys.join(".")),
    })
}

fn set<'i>(table: &mut DeTable<'i>, keys: &'i [String], value: DeValue<'i>) {
    match keys {
        [] => {}
        [key] => {
            table.insert(nowhere(key.into()), nowhere(value));
        }
        [section, rest @ ..] => {
            let entry = table
                .entry(nowhere(section.into()))
                .or_insert_with(|| nowhere(DeValue::Table(DeTable::new())));
            if let DeValue::Table(inner) = entry.get_mut() {
                set(inner, rest, value);
            }
        }
    }
}

/// What stands in no file.
fn nowhere<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}
