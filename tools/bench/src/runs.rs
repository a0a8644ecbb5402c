//! Figures of several runs, in a markdown table.

use crate::stats::Summary;
use std::fmt;

/// The same figure of several runs.
#[derive(Debug, Default, Clone)]
pub struct Figure(Vec<f64>);

impl Figure {
    /// One more run's.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The one in the middle.
    pub fn median(&self) -> f64 {
        Summary::of(&self.0).map_or(0.0, |summary| summary.median)
    }
}

/// `median (least–most)`.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Summary::of(&self.0) {
            Some(Summary { median, min, max }) => {
                write!(f, "{} ({}–{})", short(median), short(min), short(max))
            }
            None => f.write_str("–"),
        }
    }
}

/// Three digits that count.
pub fn short(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// A table with these columns.
pub fn markdown(title: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("\n### {title}\n\n");
    text += &line(columns.to_vec());
    text += &line(columns.iter().map(|_| "---").collect());
    for row in rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text
}
