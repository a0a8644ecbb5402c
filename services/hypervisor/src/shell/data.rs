//! Data that a page carries for its script.

use bytes::Bytes;
use serde_json::Value;

/// Where it stands in the page: in a `<script type="application/json">`.
const PLACE: &str = "{data}";

/// The page with this data in its place.
pub(super) fn with_data(page: &[u8], data: &Value) -> Bytes {
    let page = String::from_utf8_lossy(page);
    page.replacen(PLACE, &escaped(data), 1).into()
}

/// As JSON in which nothing can end the element, or begin another.
fn escaped(data: &Value) -> String {
    data.to_string()
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn data_stays_data_whatever_is_in_it() {
        let data = json!({ "summary": "</script><script>{data}<!-- &lt;\u{2028}" });
        let page = with_data(b"<p>{data}</p>", &data);
        let text = std::str::from_utf8(&page).unwrap();
        let text = text.strip_prefix("<p>").unwrap();
        let text = text.strip_suffix("</p>").unwrap();
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), data);
    }
}
