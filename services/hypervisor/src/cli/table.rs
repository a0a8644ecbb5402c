//! Answers as a person reads them.

use super::printable;
use serde_json::Value;
use std::fmt::Write as _;

/// A list as a table of these columns, `a.b` being `b` of the object `a`; anything else as lines of `key  value`.
pub(super) fn render(response: &Value, columns: &[&str]) -> String {
    match response {
        Value::Array(rows) if rows.is_empty() => "none\n".into(),
        Value::Array(rows) => {
            let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_uppercase();
            let head = columns.iter().map(|name| last(name)).collect();
            let of = |row: &Value, name: &str| cell(name.split('.').fold(row, |it, key| &it[key]));
            let cells = |row: &Value| columns.iter().map(|name| of(row, name)).collect();
            aligned(std::iter::once(head).chain(rows.iter().map(cells)))
        }
        Value::Object(fields) => {
            let lines = fields
                .iter()
                .map(|(key, value)| vec![key.clone(), cell(value)]);
            aligned(lines)
        }
        Value::Null => "done\n".into(),
        other => format!("{}\n", cell(other)),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => printable::line(text).into_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => match items.as_slice() {
            [] => "-".into(),
            items => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        },
        other => printable::json(other, true),
    }
}

fn aligned(lines: impl Iterator<Item = Vec<String>>) -> String {
    let lines: Vec<Vec<String>> = lines.collect();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..lines.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let mut out = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(out, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", out.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::render;
    use serde_json::json;

    #[test]
    fn a_list_is_a_table_and_an_object_is_lines() {
        let rows = json!([{ "a": "long name", "b": 1 }, { "a": "x", "b": null }]);
        assert_eq!(
            render(&rows, &["a", "b"]),
            "A          B\nlong name  1\nx          -\n"
        );
        assert_eq!(
            render(&json!({ "url": "u", "n": 12 }), &[]),
            "n    12\nurl  u\n"
        );
        assert_eq!(render(&json!([]), &["a"]), "none\n");
        assert_eq!(render(&json!(null), &[]), "done\n");
        let rows = json!([{ "a": { "b": 1 } }, { "a": null }]);
        assert_eq!(render(&rows, &["a.b"]), "B\n1\n-\n");
        let rows = json!([{ "a": ["x", "y"], "b": [] }]);
        assert_eq!(render(&rows, &["a", "b"]), "A     B\nx, y  -\n");
        assert_eq!(
            render(&json!([{ "a": "x\n\u{1b}[2J" }]), &["a"]),
            "A\nx\\n\\u{1b}[2J\n"
        );
    }
}
