//! docs/configuration.md: what it says of each key is the comment of the key's field, its default
//! is the one that holds. All around the tables is written by hand, there.

mod tables;

use super::Config;
use super::load::{ANCESTOR, PREFIX, keys_of};
use std::fmt::Write as _;
use tables::{Key, NAME, Table, tables};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
const BEGIN: &str =
    "<!-- From here on `make docs` writes what services/hypervisor/src/config says. -->\n";
const END: &str = "<!-- Up to here. -->\n";

#[test]
fn the_page_is_what_the_comments_say() {
    // A build of the services alone has no docs.
    let Ok(page) = std::fs::read_to_string(PAGE) else {
        return;
    };
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (old, after) = rest.split_once(END).unwrap();
    let new = rendered();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{new}{END}{after}")).unwrap();
    } else {
        assert!(
            old == new,
            "docs/configuration.md is not what the comments in services/hypervisor/src/config say; `make docs` writes it anew"
        );
    }
}

#[test]
fn what_the_page_calls_a_default_changes_nothing() {
    let config = |text: &str| format!("{:?}", toml::from_str::<Config>(text).expect(text));
    for table in tables() {
        for place in &table.places {
            let head = head(place).replace(NAME, "x");
            let alone = config(&head);
            for key in &table.keys {
                if let Some(default) = &key.default {
                    let set = format!("{head}{} = {default}\n", key.name);
                    assert_eq!(config(&set), alone, "{set}");
                }
            }
        }
    }
}

#[test]
fn each_key_has_its_variable_by_the_rule() {
    for table in tables() {
        let place = &table.places[0];
        if place.contains(&NAME.to_owned()) {
            continue;
        }
        for key in &table.keys {
            let keys: Vec<_> = place.iter().chain([&key.name]).cloned().collect();
            let variable = format!("{PREFIX}{}", keys.join("_").to_uppercase());
            assert_eq!(keys_of(&variable), Some(keys), "{variable}");
        }
    }
}

#[test]
fn each_of_the_ancestors_names_is_on_the_page() {
    let page = rendered();
    for (name, _) in ANCESTOR {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

fn rendered() -> String {
    let mut page = String::new();
    for table in tables() {
        let names = table
            .places
            .iter()
            .map(|it| format!("`[{}]`", it.join(".")));
        let names: Vec<_> = names.collect();
        if table.places[0].is_empty() {
            page.push_str("\n## Before all tables\n");
        } else {
            write!(page, "\n## {}\n\n{}\n", names.join(" and "), table.says).unwrap();
        }
        page.push_str("\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
        for key in &table.keys {
            page.push_str(&row(&table, key));
        }
    }
    page.push('\n');
    page
}

fn row(table: &Table, key: &Key) -> String {
    let default = key.default.as_ref();
    let default = default.map_or_else(|| "none".to_owned(), |it| format!("`{it}`"));
    let mut meaning = key.says.clone();
    for (value, says) in &key.values {
        write!(meaning, "<br>`{value}`: {says}").unwrap();
    }
    let others: Vec<_> = other_variables(table, key).collect();
    if !others.is_empty() {
        write!(meaning, " Also {}.", others.join(" and ")).unwrap();
    }
    let Key { name, kind, .. } = key;
    format!(
        "| `{name}` | {kind} | {default} | {} |\n",
        meaning.replace('|', "\\|")
    )
}

/// The ancestor's names for it.
fn other_variables(table: &Table, key: &Key) -> impl Iterator<Item = String> {
    table.places.iter().flat_map(move |place| {
        let named = ANCESTOR.iter().filter(move |(_, keys)| {
            let same = |(ours, theirs): (&String, &&str)| ours == theirs || ours == NAME;
            let all = place.iter().chain([&key.name]);
            keys.len() == place.len() + 1 && all.zip(keys.iter()).all(same)
        });
        named.map(|(name, keys)| match keys {
            [table, workspace, ..] if *table == "workspaces" => {
                format!("`{name}` for the {} sandbox of `{workspace}`", keys[2])
            }
            _ => format!("`{name}`"),
        })
    })
}

fn head(place: &[String]) -> String {
    if place.is_empty() {
        return String::new();
    }
    format!("[{}]\n", place.join("."))
}
