//! What the workspaces `services` and `tools` both have to say, they say alike: Cargo has no way to
//! say it once, and what differs is built twice.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::path::Path;
use toml::Table;

#[test]
fn both_workspaces_say_the_same() {
    let [services, tools] = ["services", "tools"].map(manifest);
    let of = |manifest: &Table, path: &[&str]| {
        let mut value = toml::Value::Table(manifest.clone());
        for key in path {
            value = value
                .get(key)
                .unwrap_or_else(|| panic!("no {key} in {path:?}"))
                .clone();
        }
        value
    };
    for path in [
        &["workspace", "resolver"][..],
        &["workspace", "package"],
        &["workspace", "lints"],
        &["profile", "dev", "debug"],
        &["profile", "dev", "package", "*"],
        &["profile", "release"],
    ] {
        assert_eq!(of(&tools, path), of(&services, path), "{path:?}");
    }
    let dependencies = ["workspace", "dependencies"];
    let (all, ours) = (of(&services, &dependencies), of(&tools, &dependencies));
    for (name, wanted) in ours.as_table().unwrap() {
        if let Some(same) = all.get(name) {
            assert_eq!(wanted, same, "{name}");
        }
    }
}

fn manifest(folder: &str) -> Table {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
    text.parse().unwrap()
}
