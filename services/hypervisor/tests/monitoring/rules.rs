//! The alerts and the dashboard: that Prometheus takes them, that they fire when they should, and
//! that what they ask for is told.

use crate::prometheus::promtool;
use crate::site::Site;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// A file of the module that offers them.
fn file(name: &str) -> PathBuf {
    let modules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../modules");
    modules.join("monitoring").join(name)
}

/// What each panel and each variable of the dashboard asks Prometheus for.
fn queries(of: &Value) -> Vec<String> {
    match of {
        Value::Object(fields) => {
            let own = ["expr", "definition"].map(|name| fields.get(name));
            let own = own.into_iter().flatten().filter_map(Value::as_str);
            let own: Vec<_> = own.map(str::to_owned).collect();
            own.into_iter()
                .chain(fields.values().flat_map(queries))
                .collect()
        }
        Value::Array(values) => values.iter().flat_map(queries).collect(),
        _ => Vec::new(),
    }
}

fn dashboard() -> Vec<String> {
    let text = fs::read_to_string(file("dashboard.json")).unwrap();
    queries(&serde_json::from_str(&text).unwrap())
}

/// The metrics of ours, and of the process, that are named there.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let is_metric = |word: &&str| word.starts_with("choiros_") || word.starts_with("process_");
    words.filter(is_metric).map(str::to_owned).collect()
}

#[test]
fn each_alert_fires_when_it_should_and_in_no_other_case() {
    promtool(&["check", "rules", file("rules.yml").to_str().unwrap()], "");
    promtool(
        &["test", "rules", file("rules-test.yml").to_str().unwrap()],
        "",
    );
    let rules = fs::read_to_string(file("rules.yml")).unwrap();
    let tests = fs::read_to_string(file("rules-test.yml")).unwrap();
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/monitoring.md");
    let page = fs::read_to_string(page).unwrap();
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let mut count = 0;
    for alert in alerts {
        count += 1;
        assert!(tests.contains(alert), "{alert} has no test");
        let runbook = format!("runbook: docs/monitoring.md#{}", alert.to_lowercase());
        assert!(rules.contains(&runbook), "{alert}: {runbook}");
        assert!(
            page.contains(&format!("### {alert}\n")),
            "{alert} is not in docs/monitoring.md"
        );
    }
    assert!(count > 10, "{count} alerts");
}

#[test]
fn prometheus_takes_each_query_of_the_dashboard() {
    let queries = dashboard();
    assert!(queries.len() > 30, "{queries:?}");
    let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
    for query in queries.iter().filter(|it| !it.starts_with("label_values(")) {
        let query = query
            .replace("$__rate_interval", "5m")
            .replace("$job", "choiros");
        let query = serde_json::to_string(&query.replace("$instance", ".*")).unwrap();
        let _ = write!(rules, "      - record: query\n        expr: {query}\n");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    // Each under a name of its own, or they would be taken for copies.
    let mut number = 0;
    let rules = rules.lines().map(|line| {
        number += 1;
        format!(
            "{}\n",
            line.replace("record: query", &format!("record: query_{number}"))
        )
    });
    fs::write(&file, rules.collect::<String>()).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()], "");
}

#[tokio::test]
async fn what_alerts_and_dashboard_ask_for_is_told() {
    let site = Site::start("", |builder| builder).await;
    let told = site.metrics().await;
    let told = named(&told);
    let rules = fs::read_to_string(file("rules.yml")).unwrap();
    let asked = named(&(rules + &dashboard().join("\n")));
    let missing: Vec<_> = asked.difference(&told).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
