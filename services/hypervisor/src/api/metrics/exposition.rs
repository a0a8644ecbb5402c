//! The text that Prometheus reads, in either of its formats.

use crate::metrics::Totals;
use http::{HeaderMap, header};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt::Error;

/// Names of labels with their values.
pub(super) type Labels = Vec<(&'static str, String)>;

/// No labels.
pub(super) const PLAIN: Labels = Vec::new();

/// What is told.
#[derive(Debug, Default)]
pub(super) struct Exposition(Vec<Family>);

#[derive(Debug)]
struct Family {
    name: &'static str,
    help: &'static str,
    samples: Samples,
}

#[derive(Debug)]
enum Samples {
    Counter(Vec<(Labels, Value)>),
    Gauge(Vec<(Labels, Value)>),
    Histogram(Vec<(Labels, Totals)>),
    Info(Labels),
}

/// A number, whole or not.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Whole(u64),
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl Exposition {
    /// What only grows. Its name is told with `_total` at its end.
    pub(super) fn counters<V: Into<Value>>(
        &mut self,
        name: &'static str,
        help: &'static str,
        samples: impl IntoIterator<Item = (Labels, V)>,
    ) {
        self.add(name, help, Samples::Counter(values(samples)));
    }

    /// The same of one without labels.
    pub(super) fn counter(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.counters(name, help, [(PLAIN, value)]);
    }

    /// What grows and shrinks.
    pub(super) fn gauges<V: Into<Value>>(
        &mut self,
        name: &'static str,
        help: &'static str,
        samples: impl IntoIterator<Item = (Labels, V)>,
    ) {
        self.add(name, help, Samples::Gauge(values(samples)));
    }

    /// The same of one without labels.
    pub(super) fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        value: impl Into<Value>,
    ) {
        self.gauges(name, help, [(PLAIN, value)]);
    }

    /// How long things took.
    pub(super) fn histograms(
        &mut self,
        name: &'static str,
        help: &'static str,
        samples: impl IntoIterator<Item = (Labels, Totals)>,
    ) {
        let samples = samples.into_iter().collect();
        self.add(name, help, Samples::Histogram(samples));
    }

    /// What never changes. Its name is told with `_info` at its end.
    pub(super) fn info(&mut self, name: &'static str, help: &'static str, labels: Labels) {
        self.add(name, help, Samples::Info(labels));
    }

    fn add(&mut self, name: &'static str, help: &'static str, samples: Samples) {
        self.0.push(Family {
            name,
            help,
            samples,
        });
    }

    /// All of it in this format.
    pub(super) fn render(self, format: Format) -> Result<String, Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut page = String::new();
        match format {
            Format::Text => prometheus_text::encode(&mut page, &registry)?,
            Format::OpenMetrics => text::encode(&mut page, &registry)?,
        }
        Ok(page)
    }
}

fn values<V: Into<Value>>(samples: impl IntoIterator<Item = (Labels, V)>) -> Vec<(Labels, Value)> {
    let samples = samples.into_iter();
    samples
        .map(|(labels, value)| (labels, value.into()))
        .collect()
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        for family in &self.0 {
            family.encode(&mut encoder)?;
        }
        Ok(())
    }
}

impl Family {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let kind = match &self.samples {
            Samples::Counter(_) => MetricType::Counter,
            Samples::Gauge(_) => MetricType::Gauge,
            Samples::Histogram(_) => MetricType::Histogram,
            Samples::Info(_) => MetricType::Info,
        };
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        match &self.samples {
            Samples::Counter(samples) => {
                for (labels, value) in samples {
                    count(&mut metric.encode_family(labels)?, *value)?;
                }
            }
            Samples::Gauge(samples) => {
                for (labels, value) in samples {
                    let mut one = metric.encode_family(labels)?;
                    match value {
                        Value::Whole(value) => one.encode_gauge(value)?,
                        Value::Real(value) => one.encode_gauge(value)?,
                    }
                }
            }
            Samples::Histogram(samples) => {
                for (labels, totals) in samples {
                    let mut one = metric.encode_family(labels)?;
                    let (secs, count) = (totals.secs, totals.count());
                    one.encode_histogram::<NoLabelSet>(secs, count, &totals.buckets, None)?;
                }
            }
            Samples::Info(labels) => metric.encode_info(labels)?,
        }
        Ok(())
    }
}

fn count(one: &mut MetricEncoder<'_>, value: Value) -> Result<(), Error> {
    match value {
        Value::Whole(value) => one.encode_counter::<NoLabelSet, _, u64>(&value, None),
        Value::Real(value) => one.encode_counter::<NoLabelSet, _, u64>(&value, None),
    }
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus' own.
    Text,
    OpenMetrics,
}

impl Format {
    /// The one that a request prefers; whoever says nothing gets Prometheus' own.
    pub(super) fn asked(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT).iter();
        let ranges = lines.filter_map(|line| line.to_str().ok());
        let (mut open, mut plain) = (0.0, 0.0);
        for range in ranges.flat_map(|line| line.split(',')) {
            let (kind, weight) = weighed(range);
            match kind.to_ascii_lowercase().as_str() {
                "application/openmetrics-text" => open = weight,
                "text/plain" => plain = weight,
                _ => {}
            }
        }
        if open > 0.0 && open >= plain {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Text => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A media range, and how much it is wanted (RFC 9110, section 12.4.2).
fn weighed(range: &str) -> (&str, f32) {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
    (kind, weight.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_format_is_what_is_asked_for() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, open) in [
            (prometheus, true),
            ("application/openmetrics-text; version=1.0.0", true),
            ("text/plain, application/openmetrics-text;q=0.5", false),
            ("text/plain;version=0.0.4", false),
            ("application/openmetrics-text;q=0", false),
            ("*/*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(
                Format::asked(&headers) == Format::OpenMetrics,
                open,
                "{accept}"
            );
        }
        assert_eq!(Format::asked(&HeaderMap::new()), Format::Text);
    }

    #[test]
    fn both_formats_say_the_same_in_their_own_way() {
        let page = || {
            let mut page = Exposition::default();
            let labels = vec![("workspace", "a\"b".to_owned())];
            page.counters("one", "How many.", [(labels, 3_u64)]);
            page.gauge("two", "How much.", 0.5);
            page
        };
        let text = page().render(Format::Text).unwrap();
        assert_eq!(
            text,
            "# HELP one_total How many.\n# TYPE one_total counter\none_total{workspace=\"a\\\"b\"} 3\n# HELP two How much.\n# TYPE two gauge\ntwo 0.5\n"
        );
        let open = page().render(Format::OpenMetrics).unwrap();
        assert!(open.starts_with("# HELP one How many.\n# TYPE one counter\none_total{"));
        assert!(open.ends_with("\ntwo 0.5\n# EOF\n"));
    }
}
