//! What names a host.

/// Whether it is `uri-host [ ":" port ]`, without user information.
pub(crate) fn is_host(value: &[u8]) -> bool {
    let text = str::from_utf8(value).unwrap_or_default();
    let (good, port) = if let Some(rest) = text.strip_prefix('[') {
        let (inner, rest) = rest.split_once(']').unwrap_or_default();
        let closed = rest.is_empty() || rest.starts_with(':');
        let good = closed && inner.parse::<std::net::Ipv6Addr>().is_ok();
        (good, rest.strip_prefix(':').unwrap_or_default())
    } else {
        let (name, port) = text.split_once(':').unwrap_or((text, ""));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (!name.is_empty() && name.bytes().all(allowed), port)
    };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    good && (port.is_empty() || digits && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for good in [
            "localhost",
            "a.example:8080",
            "127.0.0.1",
            "[::1]",
            "[::1]:80",
            "a:",
        ] {
            assert!(is_host(good.as_bytes()), "{good}");
        }
        for bad in [
            "", " ", "a b", "a/b", "u@a", "a:b", "a:99999", "[::1", "[zz]", "a,b", "a\\b", "a%zz",
            ":80", "[::1]x",
        ] {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }
}
