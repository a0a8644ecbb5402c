//! The tables of the file with their keys, as serde takes them and as the types' comments say.

use crate::config::Config;
use serde_json::Value;

/// What stands in a table's name for the name that an operator chooses.
pub(super) const NAME: &str = "<name>";

/// A table of the file, or several that have the same keys.
pub(super) struct Table {
    /// The type that holds its keys.
    of: String,
    /// Its name, or their names.
    pub(super) places: Vec<Vec<String>>,
    pub(super) says: String,
    pub(super) keys: Vec<Key>,
}

pub(super) struct Key {
    pub(super) name: String,
    /// What kind of value it takes, in TOML's words.
    pub(super) kind: String,
    /// As it would stand in the file.
    pub(super) default: Option<String>,
    pub(super) says: String,
    /// The values that it takes, if these are few, with what each means.
    pub(super) values: Vec<(String, String)>,
}

/// All of the file's tables, each before those below it.
pub(super) fn tables() -> Vec<Table> {
    let mut schema = Schema {
        all: schemars::schema_for!(Config).to_value(),
        tables: Vec::new(),
    };
    let top = schema.all.clone();
    schema.add("Config", &top, Vec::new());
    schema.tables
}

struct Schema {
    all: Value,
    tables: Vec<Table>,
}

impl Schema {
    fn add(&mut self, of: &str, object: &Value, place: Vec<String>) {
        if let Some(same) = self.tables.iter_mut().find(|table| table.of == of) {
            same.places.push(place);
            return;
        }
        let names = accepted(&place);
        let described = object["properties"].as_object().unwrap();
        let mut sorted: Vec<_> = names.iter().collect();
        sorted.sort();
        assert!(sorted.into_iter().eq(described.keys()), "{place:?}");
        let (mut keys, mut below) = (Vec::new(), Vec::new());
        for name in names {
            let property = &described[&name];
            let mut place = place.clone();
            place.push(name.clone());
            if let Some(inner) = property["additionalProperties"]["$ref"].as_str() {
                place.push(NAME.to_owned());
                below.push((inner.to_owned(), place));
            } else if let Some(inner) = self.table_of(property) {
                below.push((inner, place));
            } else {
                keys.push(self.key(name, property));
            }
        }
        self.tables.push(Table {
            of: of.to_owned(),
            places: vec![place],
            says: sentence(object),
            keys,
        });
        for (of, place) in below {
            let object = self.named(&of).clone();
            self.add(&of, &object, place);
        }
    }

    fn key(&self, name: String, property: &Value) -> Key {
        let is_list = property["type"] == "array";
        let item = if is_list {
            &property["items"]
        } else {
            property
        };
        let named = item["$ref"].as_str().map(|of| self.named(of));
        let values = named.and_then(|it| it["oneOf"].as_array());
        let values = values.into_iter().flatten().map(|value| {
            let name = value["const"].as_str().unwrap().to_owned();
            (name, sentence(value))
        });
        let values: Vec<_> = values.collect();
        let one = if values.is_empty() {
            kind(&item["type"])
        } else {
            "string"
        };
        let kind = if is_list {
            format!("array of {one}s")
        } else {
            one.to_owned()
        };
        Key {
            name,
            kind,
            default: literal(&property["default"]),
            says: sentence(property),
            values,
        }
    }

    /// What is a table of its own, there or not.
    fn table_of(&self, property: &Value) -> Option<String> {
        let given = &property["anyOf"][0]["$ref"];
        let of = property["$ref"].as_str().or(given.as_str())?;
        (self.named(of)["type"] == "object").then(|| of.to_owned())
    }

    fn named(&self, reference: &str) -> &Value {
        let place = reference.trim_start_matches('#');
        self.all.pointer(place).unwrap()
    }
}

/// The keys that a table takes, in their order: whoever comes with another one is told.
fn accepted(place: &[String]) -> Vec<String> {
    let head = if place.is_empty() {
        String::new()
    } else {
        format!("[{}]\n", place.join(".").replace(NAME, "x"))
    };
    let refusal = toml::from_str::<Config>(&format!("{head}\"?\" = 0")).unwrap_err();
    let (_, expected) = refusal.message().split_once("expected ").unwrap();
    let names = expected.split('`').skip(1).step_by(2);
    names.map(ToOwned::to_owned).collect()
}

/// The first paragraph of a comment, which each of them needs.
fn sentence(of: &Value) -> String {
    let comment = of["description"].as_str().unwrap_or_default();
    let paragraph = comment.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = paragraph.split_whitespace().collect();
    let sentence = words.join(" ");
    assert!(
        sentence.ends_with('.'),
        "no sentence says what this is: {of}"
    );
    sentence
}

/// The type, where there may be none, too.
fn kind(of: &Value) -> &str {
    of.as_str().or(of[0].as_str()).unwrap()
}

/// A default as TOML has it; numbers, strings and lists of strings look the same in JSON.
fn literal(default: &Value) -> Option<String> {
    match default {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(ToString::to_string).collect();
            Some(format!("[{}]", items.join(", ")))
        }
        scalar => Some(scalar.to_string()),
    }
}
