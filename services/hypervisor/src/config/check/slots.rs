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
        RuntimeKind::Systemd => units(slots)?,
    }
    if let Some(sandbox) = slots.sandbox(1, crate::role::Role::Live) {
        health("slots", &sandbox)?;
    }
    let mut seen: BTreeMap<SocketAddr, String> = listen_at(&config.workspaces).collect();
    for (name, address) in slots.addresses() {
        for place in address.places() {
            if place.port() == 0 {
                return Err(format!(
                    "slots.table: nothing can be reached at port 0; give {name} sandbox its port"
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

/// What the units are called that a host with slots has.
fn units(slots: &Slots) -> Verdict {
    let units = [
        (
            "slots.unit",
            &slots.unit,
            &[SLOT_PLACEHOLDER][..],
            "choiros-slot@{slot}.service",
        ),
        (
            "slots.release_unit",
            &slots.release_unit,
            &[UNIT_PLACEHOLDER, ORDER_PLACEHOLDER],
            "choiros-slot-release@{sandbox}:{order}.service",
        ),
        (
            "slots.volume_unit",
            &slots.volume_unit,
            &[SLOT_PLACEHOLDER, UNIT_PLACEHOLDER, ORDER_PLACEHOLDER],
            "choiros-slot-volume-{slot}@{sandbox}:{order}.service",
        ),
    ];
    let [make, release, volume] = units.map(|(key, template, ..)| (key, template.is_some()));
    let keys = [
        ("slots.table", slots.table.is_some()),
        make,
        release,
        volume,
    ];
    let set = keys.iter().find(|(_, is_set)| *is_set);
    let missing = keys.iter().find(|(_, is_set)| !is_set);
    if let (Some((set, _)), Some((missing, _))) = (set, missing) {
        return Err(format!(
            "{missing}: {set} is of no use without it; set all of {}, or leave `[slots]` out",
            keys.map(|(key, _)| key).join(", ")
        ));
    }
    for (key, template, placeholders, example) in units {
        if let Some(template) = template {
            unit(key, template, placeholders, example)?;
        }
    }
    Ok(())
}
