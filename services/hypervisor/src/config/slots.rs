//! `[slots]`: pairs of sandboxes that the host has ready for workspaces to come.

use super::{Address, Sandbox};
use crate::role::Role;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Pairs of sandboxes that the host has ready for workspaces to come: who is invited gets the first
/// that is free. `table` and the three units are set together with `systemd`; with `process` there
/// are none, nor any need.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Slots {
    /// A file with a line for each slot: its number, and the addresses of its live and its dev.
    pub table: Option<PathBuf>,
    /// The unit that makes a slot's volumes, with the slot's number in the place of `{slot}`.
    pub unit: Option<String>,
    /// As `runtime.release_unit`, for slots.
    pub release_unit: Option<String>,
    /// As `runtime.volume_unit`, for slots; with the slot's number in the place of `{slot}`, too.
    pub volume_unit: Option<String>,
    /// As of a declared sandbox. Without it, `/health`.
    pub health_path: Option<String>,
    /// As of a declared sandbox. Without it, any 2xx.
    pub health_status: Option<u16>,
    /// As of a declared sandbox. Without it, the sandbox's address.
    pub health_host: Option<String>,
    /// As of a declared sandbox. Without it, `true`.
    pub identity: Option<bool>,
    #[serde(skip)]
    all: Vec<Slot>,
}

#[derive(Debug, Clone)]
struct Slot {
    live: Address,
    dev: Address,
}

impl Slots {
    /// How many there are; they are numbered from 1.
    pub fn count(&self) -> u32 {
        u32::try_from(self.all.len()).unwrap_or(u32::MAX)
    }

    /// A sandbox of a slot.
    pub fn sandbox(&self, slot: u32, born: Role) -> Option<Sandbox> {
        let index = usize::try_from(slot).ok()?.checked_sub(1)?;
        let found = self.all.get(index)?;
        let address = match born {
            Role::Live => found.live,
            Role::Dev => found.dev,
        };
        Some(self.at(address))
    }

    fn at(&self, address: Address) -> Sandbox {
        let default = Sandbox::default();
        Sandbox {
            address: Some(address),
            health_path: self.health_path.clone().unwrap_or(default.health_path),
            health_status: self.health_status,
            health_host: self.health_host.clone(),
            identity: self.identity.unwrap_or(default.identity),
            ..default
        }
    }

    /// Each address that a slot has, with what it is called.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (String, Address)> {
        let numbered = (1_u32..).zip(&self.all);
        numbered.flat_map(|(number, slot)| {
            [("live", slot.live), ("dev", slot.dev)]
                .map(|(role, address)| (format!("slot {number}'s {role}"), address))
        })
    }

    /// What stands in the table.
    ///
    /// # Errors
    /// A sentence that names the line.
    pub(super) fn read(&mut self) -> Result<(), String> {
        let Some(path) = &self.table else {
            return Ok(());
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("slots.table: {}: {error}", path.display()))?;
        self.all = parse(&text, path)?;
        Ok(())
    }
}

fn address(text: &str) -> Result<Address, String> {
    text.to_owned().try_into()
}

fn parse(text: &str, path: &Path) -> Result<Vec<Slot>, String> {
    let lines = (1_usize..).zip(text.lines());
    let slot = |(number, line): (usize, &str)| {
        let words: Vec<_> = line.split(' ').collect();
        if let [found, live, dev] = words[..]
            && found.parse() == Ok(number)
            && let (Ok(live), Ok(dev)) = (address(live), address(dev))
        {
            return Ok(Slot { live, dev });
        }
        Err(format!(
            "slots.table: {} line {number}: `{}` is not the number {number} and two addresses with ports, such as `{number} 10.233.0.6:8080 10.233.0.10:8080`",
            path.display(),
            line.escape_debug()
        ))
    };
    lines.map(slot).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_slot_and_says_where_its_sandboxes_are() {
        let text = "1 10.233.0.6:8080 10.233.0.10:8080\n2 10.233.0.14:8080 10.233.0.18:8080\n";
        let slots = Slots {
            all: parse(text, Path::new("table")).unwrap(),
            ..Slots::default()
        };
        assert_eq!(slots.count(), 2);
        let dev = slots.sandbox(2, Role::Dev).unwrap();
        assert_eq!(dev.address, address("10.233.0.18:8080").ok());
        assert!(dev.identity && dev.health_path == "/health");
        for none in [0, 3, u32::MAX] {
            assert!(slots.sandbox(none, Role::Live).is_none(), "{none}");
        }
    }

    #[test]
    fn a_line_that_is_no_slot_is_named() {
        for (text, line) in [
            ("2 10.0.0.1:1 10.0.0.2:1", "line 1"),
            ("1 10.0.0.1:1 10.0.0.2:1\n\n", "line 2"),
            ("1 10.0.0.1:1", "line 1"),
            ("1 10.0.0.1 10.0.0.2", "line 1"),
            ("1 10.0.0.1:1 10.0.0.2:1 x", "line 1"),
        ] {
            let refused = parse(text, Path::new("table")).unwrap_err();
            assert!(refused.contains(line), "{refused}");
        }
    }
}
