//! The cookies of one site.

use http::{HeaderMap, HeaderValue, header};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Jar(BTreeMap<String, String>);

impl Jar {
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.into(), value.into());
    }

    /// Takes over what a response sets. A `Max-Age` that is not positive removes the cookie.
    pub fn learn(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            let Ok(cookie) = cookie.to_str() else {
                continue;
            };
            let mut parts = cookie.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let ended = parts
                .filter_map(|attribute| attribute.split_once('='))
                .filter(|(key, _)| key.eq_ignore_ascii_case("max-age"))
                .any(|(_, age)| age.parse::<i64>().is_ok_and(|age| age <= 0));
            if ended {
                self.0.remove(name);
            } else {
                self.set(name, value);
            }
        }
    }

    /// The `Cookie` header, unless there are none.
    pub fn header(&self) -> Option<HeaderValue> {
        let pairs: Vec<String> = self.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
        (!pairs.is_empty())
            .then(|| HeaderValue::from_str(&pairs.join("; ")).ok())
            .flatten()
    }
}
