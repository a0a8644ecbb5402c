//! Which module may import which: one way only.

mod circles;
mod modules;
mod paths;
mod source;

use circles::circles;
use modules::{Arrow, Crate};
use std::io;
use std::path::Path;

/// What everyone may import, and what imports nothing but itself.
const GROUND_FLOOR: &[&str] = &[
    "access",
    "clock",
    "concurrency_limit",
    "cookie_names",
    "database_check",
    "downstream",
    "error",
    "free_memory",
    "gate",
    "http1",
    "lifetime",
    "local_executor",
    "metrics",
    "notice",
    "peer",
    "pem",
    "private_folder",
    "request_context",
    "role",
    "sandbox_name",
    "scope",
    "timestamp",
    "unix_socket",
    "username",
];

/// Each module, lowest first, and what it may import beside the ground floor.
const LAYERS: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("tls", &[]),
    ("shell", &["config"]),
    ("store", &["config"]),
    ("auth", &["config", "store"]),
    ("runtime", &["config"]),
    ("proxy", &["config"]),
    ("forwarding", &["config"]),
    ("routes", &["config", "store", "auth", "runtime", "proxy"]),
    ("cluster", &["config", "store", "auth", "routes"]),
    (
        "api",
        &[
            "config",
            "tls",
            "shell",
            "store",
            "auth",
            "runtime",
            "forwarding",
            "routes",
            "cluster",
        ],
    ),
    (
        "server",
        &[
            "config",
            "tls",
            "shell",
            "store",
            "auth",
            "runtime",
            "proxy",
            "forwarding",
            "routes",
            "api",
        ],
    ),
    (
        "cli",
        &[
            "config",
            "tls",
            "shell",
            "store",
            "auth",
            "runtime",
            "proxy",
            "forwarding",
            "routes",
            "cluster",
            "api",
            "server",
        ],
    ),
];

fn source(of: &str) -> io::Result<Crate> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(of).join("src");
    Crate::read(&folder)
}

/// What a module may import; `None` if nothing is said of it.
fn may_import(module: &str) -> Option<&'static [&'static str]> {
    if GROUND_FLOOR.contains(&module) {
        return Some(&[]);
    }
    let layer = LAYERS.iter().find(|(name, _)| *name == module)?;
    Some(layer.1)
}

/// A sentence for each arrow that goes where it may not.
fn wrong_ways(arrows: &[Arrow]) -> Vec<String> {
    let wrong = arrows.iter().filter_map(|arrow| {
        let (from, to) = (arrow.from[0].as_str(), arrow.to[0].as_str());
        let allowed = may_import(from).unwrap_or_default();
        if from == to || GROUND_FLOOR.contains(&to) || allowed.contains(&to) {
            return None;
        }
        let Arrow { place, path, .. } = arrow;
        Some(format!(
            "{place}: {from} → {to} ({path}) goes against the order of the modules; move what both need down to the ground floor, or this up"
        ))
    });
    wrong.collect()
}

#[test]
fn imports_run_one_way() {
    let this = source("../hypervisor").unwrap();
    let unknown: Vec<_> = this
        .top()
        .filter(|name| may_import(name).is_none())
        .collect();
    assert!(
        unknown.is_empty(),
        "{unknown:?}: say in this test what they may import"
    );
    let wrong = wrong_ways(&this.arrows());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_order_itself_has_no_circle() {
    for (at, (name, allowed)) in LAYERS.iter().enumerate() {
        let lower: Vec<_> = LAYERS[..at].iter().map(|(name, _)| *name).collect();
        let all_lower = allowed.iter().all(|module| lower.contains(module));
        assert!(all_lower, "{name} may import what is not below it");
    }
}

#[test]
fn no_modules_import_each_other() {
    let found = ["hypervisor", "sandbox", "testkit"].map(|name| {
        let arrows = source(&format!("../{name}")).unwrap().arrows();
        let found = circles(&arrows);
        found.iter().map(|it| format!("{name}: {it}\n")).collect()
    });
    let found: Vec<String> = found.into_iter().flat_map(|it: Vec<_>| it).collect();
    assert!(found.is_empty(), "\n{}", found.concat());
}

#[test]
fn an_arrow_upwards_is_told_with_its_place() {
    let it = Crate::of([
        ("lib.rs", "pub mod config;\npub mod routes;"),
        (
            "config/mod.rs",
            "//! crate::routes\nfn f() { g(\"crate::routes\") }\nuse crate::{role, routes::{table, Role as R}};",
        ),
        ("routes/mod.rs", "mod table;\npub use table::Role;"),
        ("routes/table.rs", "use super::super::config;"),
    ]);
    let wrong = wrong_ways(&it.arrows());
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    let expected = "src/config/mod.rs:3: config → routes (crate::routes::table)";
    assert!(wrong[0].starts_with(expected), "{wrong:?}");
}

#[test]
fn a_circle_is_found_whatever_it_goes_through() {
    // Through a re-export, through folders, and over three modules.
    for files in [
        [
            ("a/mod.rs", "mod one; mod two;\npub use two::Two;"),
            ("a/one.rs", "use super::Two;"),
            ("a/two.rs", "fn f() -> super::one::One {}"),
        ],
        [
            ("one/mod.rs", "pub struct One;"),
            ("one/x.rs", "use crate::two;"),
            ("two.rs", "use super::one::One;"),
        ],
        [
            ("one.rs", "use crate::two::Two as Three;"),
            ("two.rs", "const A: u8 = crate::three::A;"),
            ("three.rs", "select! { it = super::one::wait() => {} }"),
        ],
    ] {
        let found = circles(&Crate::of(files).arrows());
        assert_eq!(found.len(), 1, "{files:?}: {found:?}");
        assert!(found[0].contains("import each other"), "{found:?}");
        assert!(found[0].contains(".rs:1: "), "{found:?}");
    }
}

#[test]
fn tests_texts_and_what_a_module_shares_with_those_around_it_are_no_circle() {
    let it = Crate::of([
        (
            "a/mod.rs",
            "mod one; mod two;\npub struct All(one::One, two::Two);",
        ),
        (
            "a/one.rs",
            "use super::All;\n#[cfg(test)]\nmod tests { use super::super::two::Two; }",
        ),
        (
            "a/two.rs",
            "use super::{All, one::One};\nconst A: char = '\"';\n// super::three::X\n",
        ),
        ("a/tests.rs", "use super::two;"),
        (
            "a/three.rs",
            "#[cfg(test)]\nuse super::two;\nconst T: &str = r#\"\" super::two::X\"#;",
        ),
    ]);
    let arrows = it.arrows();
    assert_eq!(arrows.len(), 1, "{arrows:?}");
    assert!(circles(&arrows).is_empty());
}
