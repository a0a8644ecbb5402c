//! A table of figures for servers beside each other, as Markdown.

use crate::fleet::Peer;
use crate::goal::Goal;
use crate::stats::Summary;
use std::fmt::{Display, Formatter, Result};

/// What a column shows.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Its heading, with the unit.
    pub name: &'static str,
    /// How many digits stand behind the point.
    pub decimals: usize,
}

impl Figure {
    /// A column with this heading and so many digits behind the point.
    pub const fn new(name: &'static str, decimals: usize) -> Self {
        Self { name, decimals }
    }
}

/// Figures of servers, each from several rounds.
#[derive(Debug)]
pub struct Table {
    title: String,
    figures: Vec<Figure>,
    goals: Vec<Goal>,
    notes: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    server: String,
    /// One list of samples for each figure.
    samples: Vec<Vec<f64>>,
}

impl Table {
    /// An empty one.
    pub fn new(title: &str, figures: &[Figure]) -> Self {
        Self {
            title: title.to_owned(),
            figures: figures.to_vec(),
            goals: Vec::new(),
            notes: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Says below the figures whether these are reached.
    #[must_use]
    pub fn with_goals(mut self, goals: &[Goal]) -> Self {
        self.goals = goals.to_vec();
        self
    }

    /// What stands above it.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Adds one round of a server: a value for each figure, none where there is nothing to say.
    pub fn add(&mut self, server: &str, values: &[Option<f64>]) {
        let row = self.row(server);
        for (samples, value) in row.samples.iter_mut().zip(values) {
            samples.extend(value);
        }
    }

    /// Says something below the figures.
    pub fn note(&mut self, what: String) {
        self.notes.push(what);
    }

    /// The median of a server's figure.
    pub fn median(&self, server: &str, figure: &str) -> Option<f64> {
        let place = self.figures.iter().position(|it| it.name == figure)?;
        let row = self.rows.iter().find(|row| row.server == server)?;
        Some(row.summary(place)?.median)
    }

    fn row(&mut self, server: &str) -> &mut Row {
        let found = self.rows.iter().position(|row| row.server == server);
        let place = found.unwrap_or_else(|| {
            self.rows.push(Row {
                server: server.to_owned(),
                samples: vec![Vec::new(); self.figures.len()],
            });
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    /// The hypervisor's medians divided by each other server's.
    fn ratios(&self) -> Vec<Vec<String>> {
        let is = |row: &Row, peer: Peer| row.server == peer.name();
        let Some(ours) = self.rows.iter().find(|row| is(row, Peer::Hypervisor)) else {
            return Vec::new();
        };
        let others = self.rows.iter();
        let others = others.filter(|row| !is(row, Peer::Hypervisor) && !is(row, Peer::Direct));
        let ratio = |other: &Row, place| {
            let (ours, other) = (ours.summary(place)?.median, other.summary(place)?.median);
            (other > 0.0).then(|| format!("**{:.2}**", ours / other))
        };
        others
            .map(|other| {
                let mut cells = vec![format!("**{} ÷ {}**", ours.server, other.server)];
                let ratios = (0..self.figures.len()).map(|place| ratio(other, place));
                cells.extend(ratios.map(Option::unwrap_or_default));
                cells
            })
            .collect()
    }
}

impl Row {
    fn summary(&self, figure: usize) -> Option<Summary> {
        Summary::of(&self.samples[figure])
    }

    fn cells(&self, figures: &[Figure]) -> Vec<String> {
        let mut cells = vec![self.server.clone()];
        cells.extend(figures.iter().enumerate().map(|(place, figure)| {
            let summary = self.summary(place);
            summary.map_or_else(String::new, |summary| cell(summary, figure.decimals))
        }));
        cells
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut lines = vec![vec![String::new()]];
        lines[0].extend(self.figures.iter().map(|figure| figure.name.to_owned()));
        lines.extend(self.rows.iter().map(|row| row.cells(&self.figures)));
        lines.extend(self.ratios());
        let widths = widths(&lines);
        writeln!(f, "### {}\n", self.title)?;
        for (number, line) in lines.iter().enumerate() {
            for (place, (cell, width)) in line.iter().zip(&widths).enumerate() {
                match place {
                    0 => write!(f, "| {cell:<width$} |")?,
                    _ => write!(f, " {cell:>width$} |")?,
                }
            }
            writeln!(f)?;
            if number == 0 {
                rule(f, &widths)?;
            }
        }
        let verdicts = self.goals.iter().map(|goal| goal.verdict(self));
        for (number, said) in verdicts.chain(self.notes.iter().cloned()).enumerate() {
            let gap = if number == 0 { "\n" } else { "" };
            writeln!(f, "{gap}- {said}")?;
        }
        Ok(())
    }
}

/// The line below the headings; figures stand at the right.
fn rule(f: &mut Formatter<'_>, widths: &[usize]) -> Result {
    for (place, width) in widths.iter().enumerate() {
        match place {
            0 => write!(f, "| {} |", "-".repeat(*width))?,
            _ => write!(f, " {}: |", "-".repeat(width - 1))?,
        }
    }
    writeln!(f)
}

fn widths(lines: &[Vec<String>]) -> Vec<usize> {
    let width = |place: usize| {
        let cells = lines.iter().filter_map(|line| line.get(place));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    (0..lines[0].len())
        .map(|place| width(place).max(3))
        .collect()
}

/// The median and, if there was more than one round, the spread.
fn cell(summary: Summary, decimals: usize) -> String {
    let Summary { median, min, max } = summary;
    let median = number(median, decimals);
    let (min, max) = (number(min, decimals), number(max, decimals));
    if min == max {
        return median;
    }
    format!("{median} ({min}–{max})")
}

/// With a comma before each three digits.
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::{Figure, Table, number};

    const FIGURES: &[Figure] = &[Figure::new("requests/s", 0), Figure::new("p50 ms", 2)];

    #[test]
    fn a_table_shows_medians_spreads_and_ratios() {
        let mut table = Table::new("small", FIGURES);
        table.add("direct", &[Some(200_000.0), None]);
        for round in [100.0, 300.0, 2000.0] {
            table.add("nginx", &[Some(round), Some(0.5)]);
            table.add("hypervisor", &[Some(round * 2.0), Some(0.25)]);
        }
        let expected = "\
### small

|                        |      requests/s |   p50 ms |
| ---------------------- | --------------: | -------: |
| direct                 |         200,000 |          |
| nginx                  | 300 (100–2,000) |     0.50 |
| hypervisor             | 600 (200–4,000) |     0.25 |
| **hypervisor ÷ nginx** |        **2.00** | **0.50** |
";
        assert_eq!(table.to_string(), expected);
        assert_eq!(table.median("nginx", "requests/s"), Some(300.0));
        assert_eq!(table.median("nginx", "p99 ms"), None);
    }

    #[test]
    fn long_numbers_are_grouped() {
        for (value, decimals, text) in [
            (0.0, 0, "0"),
            (999.4, 0, "999"),
            (1000.0, 0, "1,000"),
            (12_345.678, 2, "12,345.68"),
            (1_234_567.0, 0, "1,234,567"),
        ] {
            assert_eq!(number(value, decimals), text);
        }
    }
}
