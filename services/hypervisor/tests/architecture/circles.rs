//! Modules beside each other that need each other.

use crate::modules::{Arrow, Way};
use std::collections::{BTreeMap, BTreeSet};

type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Arrow>>;

/// A sentence for each circle of modules that stand in one folder, whatever is within them.
pub fn circles(arrows: &[Arrow]) -> Vec<String> {
    let mut folders: BTreeMap<&[String], Graph<'_>> = BTreeMap::new();
    for arrow in arrows {
        let (folder, from, to) = apart(&arrow.from, &arrow.to);
        let graph = folders.entry(folder).or_default();
        graph.entry(from).or_default().entry(to).or_insert(arrow);
    }
    folders
        .iter()
        .flat_map(|(folder, graph)| {
            knots(graph)
                .into_iter()
                .map(|knot| sentence(folder, graph, &knot))
        })
        .collect()
}

/// The folder that both are in, and where in it each is. Neither is within the other.
fn apart<'a>(from: &'a Way, to: &'a Way) -> (&'a [String], &'a str, &'a str) {
    let same = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    (&from[..same], &from[same], &to[same])
}

/// The groups whose members all reach each other.
fn knots<'a>(graph: &Graph<'a>) -> BTreeSet<BTreeSet<&'a str>> {
    let reach = |from: &'a str| {
        let mut reached = BTreeSet::new();
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            let ends = graph.get(at).into_iter().flat_map(BTreeMap::keys);
            next.extend(ends.filter(|end| reached.insert(**end)));
        }
        reached
    };
    let reached: BTreeMap<_, _> = graph.keys().map(|node| (*node, reach(node))).collect();
    let knot = |node: &'a str| -> BTreeSet<&'a str> {
        let ends = reached[node].iter().copied();
        ends.filter(|end| reached.get(end).is_some_and(|back| back.contains(node)))
            .collect()
    };
    let knots = graph.keys().map(|node| knot(node));
    knots.filter(|knot| !knot.is_empty()).collect()
}

fn sentence(folder: &[String], graph: &Graph<'_>, knot: &BTreeSet<&str>) -> String {
    let names: Vec<_> = knot.iter().copied().collect();
    let within = knot.iter().flat_map(|from| {
        let ends = graph[from].iter().filter(|(to, _)| knot.contains(*to));
        ends.map(move |(to, arrow)| format!("    {}: {from} → {to} ({})", arrow.place, arrow.path))
    });
    let arrows: Vec<_> = within.collect();
    format!(
        "{} in {}/ import each other; move what they share into a module below them:\n{}",
        names.join(", "),
        [&["src".to_owned()], folder].concat().join("/"),
        arrows.join("\n")
    )
}
