//! `[slots]`: what goes together, and addresses that nobody else has.

use super::runtime::unit;
use super::workspaces::{health, listen_at};
use super::{RuntimeKind, Verdict};
use crate::config::{Config, ORDER_PLACEHOLDER, SLOT_PLACEHOLDER, Slots, UNIT_PLACEHOLDER};
use std::collections::BTreeMap;
use std::net::SocketAddr;

pub(super) fn slots(config: &Config) -> Verdict {
    let slots = &config.slots;
    match config.runtime.kind {
        RuntimeKind::Process if slots.table.is_some() => {
            return Err(
                "slots.table: with runtime.kind = \"process\" there is room for every workspace; leave `[slots]` out".into(),
            );
        }
        RuntimeKind::Process | RuntimeKind::Adopt => {}
        RuntimeKind::Systemd => {
            for (key, template, placeholders, example) in units(slots)?.into_iter().flatten() {
                unit(key, template, placeholders, example)?;
            }
        }
    }
    if let Some(sandbox) = slots.sandbox(1, crate::role::Role::Live) {
        health("slots", &sandbox)?;
    }
    let mut seen: BTreeMap<SocketAddr, String> = listen_at(&config.workspaces).collect();
    for (name, address) in slots.addresses() {
        for place in address.places() {
            if place.port() == 0 {
                return Err(format!(
                    "slots.table: {name} sandbox has port 0, at which nothing can be reached"
                ));
            }
            if let Some(other) = seen.insert(place, name.clone()) {
                return Err(format!(
                    "slots.table: {place} is that of {name} sandbox and of {other}; give each sandbox its own"
                ));
            }
        }
    }
    Ok(())
}

type UnitCheck<'a> = (&'static str, &'a str, &'static [&'static str], &'static str);

/// What the units are called that a host with slots has.
fn units(slots: &Slots) -> Result<Option<[UnitCheck<'_>; 3]>, String> {
    let named = [
        ("slots.table", slots.table.is_some()),
        ("slots.unit", slots.unit.is_some()),
        ("slots.release_unit", slots.release_unit.is_some()),
        ("slots.volume_unit", slots.volume_unit.is_some()),
    ];
    let (Some(_), Some(make), Some(release), Some(volume)) = (
        &slots.table,
        &slots.unit,
        &slots.release_unit,
        &slots.volume_unit,
    ) else {
        let set = named.iter().find(|(_, is_set)| *is_set);
        let missing = named.iter().find(|(_, is_set)| !is_set);
        return match (set, missing) {
            (Some((set, _)), Some((missing, _))) => Err(format!(
                "{missing}: {set} is of no use without it; set all of {}, or leave `[slots]` out",
                named.map(|(key, _)| key).join(", ")
            )),
            _ => Ok(None),
        };
    };
    Ok(Some([
        (
            "slots.unit",
            make,
            &[SLOT_PLACEHOLDER],
            "choiros-slot@{slot}.service",
        ),
        (
            "slots.release_unit",
            release,
            &[UNIT_PLACEHOLDER, ORDER_PLACEHOLDER],
            "choiros-slot-release@{sandbox}:{order}.service",
        ),
        (
            "slots.volume_unit",
            volume,
            &[SLOT_PLACEHOLDER, UNIT_PLACEHOLDER, ORDER_PLACEHOLDER],
            "choiros-slot-volume-{slot}@{sandbox}:{order}.service",
        ),
    ]))
}
