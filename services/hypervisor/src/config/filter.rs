//! `log.filter`: what is logged. Where it leaves room for a mistake, it is refused: a target
//! that is misspelt matches nothing, and says nothing of that either.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The target of the audit log. It is logged whatever else is, unless the filter names it.
pub(crate) const AUDIT: &str = "audit";

/// What is said of a passkey that is none is all of what was sent in its place, at `error`. We say
/// ourselves, in a line, what was refused and why. Who wants more names them in the filter.
const LIBRARIES: [&str; 3] = [
    "webauthn_rs=off",
    "webauthn_rs_core=off",
    "webauthn_rs_proto=off",
];

const LEVELS: &str = "error, warn, info, debug, trace or off";

/// The filter that `text` means.
///
/// # Errors
/// Why it is none, or would silence what nobody meant to silence, and the mend.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, String> {
    let directives: Vec<_> = text
        .split(',')
        .map(str::trim)
        .filter(|directive| !directive.is_empty())
        .collect();
    let (mut for_all, mut for_audit) = (false, false);
    for directive in &directives {
        match directive.rsplit_once('=') {
            Some(("", _)) => return Err(format!("log.filter: `{directive}` names no target")),
            Some((target, level)) if is_level(level) => for_audit |= target == AUDIT,
            Some((_, level)) if !level.ends_with(']') => {
                return Err(format!(
                    "log.filter: `{level}` in `{directive}` is no level; give {LEVELS}"
                ));
            }
            None if is_level(directive) => for_all = true,
            None if !directive.ends_with(']') => {
                return Err(format!(
                    "log.filter: `{directive}` is no level; give {LEVELS}, or `{directive}=debug` if it is a target"
                ));
            }
            _ => {} // Spans, of whatever level.
        }
    }
    if !for_all {
        return Err(format!(
            "log.filter: `{text}` has no level for what it does not name, which would not be logged; put one in front, such as `{}`",
            ["info"]
                .into_iter()
                .chain(directives)
                .collect::<Vec<_>>()
                .join(",")
        ));
    }
    let audit = format!("{AUDIT}=info");
    let audit = (!for_audit).then_some(audit.as_str());
    let quiet = LIBRARIES.iter().copied();
    let all: Vec<_> = quiet.chain(directives).chain(audit).collect();
    EnvFilter::try_new(all.join(","))
        .map_err(|error| format!("log.filter: `{text}` is no filter ({error}); try `info`"))
}

/// An empty one would mean `error`.
fn is_level(text: &str) -> bool {
    !text.is_empty() && text.parse::<LevelFilter>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn what_would_silence_more_than_was_meant_is_refused() {
        for (text, hint) in [
            ("inof", "is no level"),
            ("info,hypervisor", "`hypervisor=debug`"),
            ("hypervisor", "is no level"),
            ("info,hypervisor=debgu", "`debgu`"),
            ("info,hypervisor=", "no level"),
            ("info,=debug", "names no target"),
            ("hypervisor=debug", "`info,hypervisor=debug`"),
            ("hypervsior=debug,audit=info", "put one in front"),
            ("", "`info`"),
            (" , ", "`info`"),
            ("info;hypervisor=debug", "`info;hypervisor=debug`"),
            ("info hypervisor", "is no level"),
            ("[", "is no level"),
        ] {
            let said = filter(text).expect_err(text);
            assert!(said.contains(hint), "{text}: {said}");
        }
    }

    #[test]
    fn the_audit_log_is_silenced_by_its_name_alone() {
        for (text, audit) in [
            ("info", true),
            ("WARN", true),
            ("off", true),
            ("0", true),
            ("warn, hypervisor=debug", true),
            ("warn,hypervisor=off", true),
            ("info,[request{id=1}]=debug", true),
            ("info,[request]", true),
            ("info,audit=off", false),
            ("info, audit=warn", false),
        ] {
            let filter = filter(text)
                .unwrap_or_else(|error| panic!("{error}"))
                .to_string();
            assert_eq!(filter.contains("audit=info"), audit, "{text}: {filter}");
        }
    }
}
