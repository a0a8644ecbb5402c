//! The names of units.

use crate::config::{ORDER_PLACEHOLDER, SLOT_PLACEHOLDER, UNIT_PLACEHOLDER};
use crate::runtime::Spec;

/// What systemd takes as a unit's name.
const LONGEST: usize = 255;

/// A unit, and the key of the config that names it.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) key: &'static str,
}

impl Unit {
    /// The one that is a sandbox.
    pub(super) fn of(template: &str, sandbox: &str) -> Self {
        Self {
            name: template.replace(UNIT_PLACEHOLDER, sandbox),
            key: "runtime.unit",
        }
    }
}

/// What the units are called that do something for a sandbox: one that is declared, or a slot's.
pub(super) struct Template {
    declared: (&'static str, Option<String>),
    slots: (&'static str, Option<String>),
}

impl Template {
    pub(super) fn new(
        declared: (&'static str, &Option<String>),
        slots: (&'static str, &Option<String>),
    ) -> Self {
        Self {
            declared: (declared.0, declared.1.clone()),
            slots: (slots.0, slots.1.clone()),
        }
    }

    /// The config's key and what it says, if it is set.
    pub(super) fn of(&self, spec: &Spec) -> Option<(&'static str, String)> {
        match spec.slot {
            None => Some((self.declared.0, self.declared.1.clone()?)),
            Some(slot) => {
                let template = self.slots.1.as_ref()?;
                let template = template.replace(SLOT_PLACEHOLDER, &slot.to_string());
                Some((self.slots.0, template))
            }
        }
    }
}

/// The unit that does `order` for a sandbox.
///
/// # Errors
/// If systemd would read the name otherwise than it is meant.
pub(super) fn order_unit(
    (key, template): (&'static str, &str),
    sandbox: &str,
    order: &str,
) -> Result<Unit, String> {
    for part in [sandbox, order] {
        if !is_plain(part) {
            return Err(format!(
                "`{}` cannot stand in a unit's name; a name there has letters, digits and inner hyphens",
                part.escape_debug()
            ));
        }
    }
    let name = template
        .replace(UNIT_PLACEHOLDER, sandbox)
        .replace(ORDER_PLACEHOLDER, order);
    if name.len() > LONGEST {
        return Err(format!(
            "{name} is longer than the {LONGEST} bytes that systemd takes as a unit's name"
        ));
    }
    Ok(Unit { name, key })
}

/// Whether this unit does an order for a sandbox that begins so.
pub(super) fn is_order_unit(template: &str, sandbox: &str, order: &str, unit: &str) -> bool {
    let template = template.replace(UNIT_PLACEHOLDER, sandbox);
    let (before, after) = template.split_once(ORDER_PLACEHOLDER).unwrap_or_default();
    let rest = unit.strip_prefix(before);
    let found = rest.and_then(|rest| rest.strip_suffix(after));
    found.is_some_and(|found| found.starts_with(order))
}

/// Whether it means itself: nothing in it is escaped, or ends the name.
fn is_plain(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_".contains(&byte);
    !part.is_empty() && part.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::order_unit;

    const TEMPLATE: (&str, &str) = (
        "runtime.volume_unit",
        "choiros-volume-{sandbox}@{order}.service",
    );

    #[test]
    fn a_unit_is_named_by_its_sandbox_and_what_it_does() {
        assert_eq!(
            order_unit(TEMPLATE, "w-live", "replace:w-dev:20260131T235959Z-1f2e:x")
                .unwrap()
                .name,
            "choiros-volume-w-live@replace:w-dev:20260131T235959Z-1f2e:x.service"
        );
    }

    #[test]
    fn a_name_that_systemd_would_read_otherwise_is_refused() {
        let long = "x".repeat(240);
        for part in [
            "", "a/b", "a.b", "a@b", "a b", "a\\x2d", "a%i", "é", "{order}", &long,
        ] {
            assert!(order_unit(TEMPLATE, part, "list").is_err(), "{part}");
            assert!(order_unit(TEMPLATE, "w-live", part).is_err(), "{part}");
        }
    }
}
