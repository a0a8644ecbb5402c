//! Who a client is, by what a proxy says of it. The audit log has the address of whoever tries a
//! recovery code.

use crate::nothing_wrong;
use crate::site::Site;

/// `X-Forwarded-For`, several lines apart by `|`, and the client that it names.
type Named = (&'static str, &'static str);

/// From 127.0.0.1, whom these trust.
const TRUSTED: &[(&str, &[Named])] = &[
    (
        "\"127.0.0.1/32\"",
        &[
            ("192.0.2.8", "192.0.2.8"),
            ("192.0.2.8:51234", "192.0.2.8"),
            ("[2001:db8::8]:51234", "2001:db8::8"),
            ("[2001:db8::8]", "2001:db8::8"),
            ("2001:db8::8", "2001:db8::8"),
            ("2001:DB8:0::0008", "2001:db8::8"),
            ("::ffff:192.0.2.8", "192.0.2.8"),
            ("[::ffff:192.0.2.8]:1", "192.0.2.8"),
            (" \t192.0.2.8:1\t ", "192.0.2.8"),
            ("203.0.113.1, 192.0.2.8:51234", "192.0.2.8"),
            ("203.0.113.1:7, [2001:db8::8]:51234", "2001:db8::8"),
            ("203.0.113.1|192.0.2.8", "192.0.2.8"),
            ("192.0.2.8, 127.0.0.1", "192.0.2.8"),
            ("192.0.2.8:1, 127.0.0.1:2", "192.0.2.8"),
            ("192.0.2.8, [::ffff:127.0.0.1]:2", "192.0.2.8"),
            // All are trusted: the leftmost.
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:1, 127.0.0.1:2", "127.0.0.1"),
            // Behind what is no address nothing is known.
            ("unknown", "127.0.0.1"),
            ("192.0.2.8, unknown", "127.0.0.1"),
            ("192.0.2.8:port", "127.0.0.1"),
            ("[192.0.2.8", "127.0.0.1"),
            ("192.0.2.8]", "127.0.0.1"),
            ("192.0.2.8:99999", "127.0.0.1"),
            ("[2001:db8::8]x", "127.0.0.1"),
            ("", "127.0.0.1"),
        ],
    ),
    // A plain address is a network of its own.
    (
        "\"127.0.0.1\"",
        &[
            ("192.0.2.8:51234", "192.0.2.8"),
            ("192.0.2.8, 127.0.0.1", "192.0.2.8"),
            ("192.0.2.8, 127.0.0.2", "127.0.0.2"),
        ],
    ),
    (
        "\"::ffff:127.0.0.0/104\", \"10.0.0.0/8\", \"2001:db8::1\"",
        &[
            ("192.0.2.8", "192.0.2.8"),
            ("192.0.2.8, 127.255.0.1", "192.0.2.8"),
            ("192.0.2.8, 10.1.2.3:4, 127.0.0.9", "192.0.2.8"),
            ("192.0.2.8, [2001:db8::1]:4", "192.0.2.8"),
            ("192.0.2.8, [2001:db8::2]:4", "2001:db8::2"),
            ("10.9.9.9, 10.1.2.3, 127.0.0.9", "10.9.9.9"),
            ("10.9.9.9:1|10.1.2.3:2", "10.9.9.9"),
            ("128.0.0.1", "128.0.0.1"),
        ],
    ),
    (
        "\"::ffff:127.0.0.1\"",
        &[
            ("192.0.2.8", "192.0.2.8"),
            ("192.0.2.8, 127.0.0.1", "192.0.2.8"),
        ],
    ),
    // Nobody is believed whom this does not name.
    (
        "\"127.0.0.2\", \"::ffff:10.0.0.0/104\", \"::1\"",
        &[("192.0.2.8", "127.0.0.1"), ("[2001:db8::8]:1", "127.0.0.1")],
    ),
];

#[tokio::test]
async fn the_client_is_the_rightmost_address_that_no_trusted_proxy_has() {
    let mut wrongs = Vec::new();
    for (trusted, named) in TRUSTED {
        let config = format!("[server]\ntrusted_proxies = [{trusted}]");
        let Ok(mut site) = Site::try_with(&config, None, |it| it).await else {
            wrongs.push(format!("trusted_proxies = [{trusted}] is refused"));
            continue;
        };
        for (index, (lines, wanted)) in named.iter().enumerate() {
            let user = format!("nobody{index}");
            let lines = lines
                .split('|')
                .map(|it| format!("X-Forwarded-For: {it}\r\n"));
            let lines: String = lines.collect();
            let order = format!(r#"{{"username":"{user}","code":"aaaa-{index}"}}"#);
            let request = format!(
                "POST /auth/recovery HTTP/1.1\r\nHost: {}\r\n{lines}\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{order}",
                site.host,
                order.len()
            );
            let reply = site.ask(request).await;
            let told = |stderr: &str| stderr.matches("recovery_failed").count() > index;
            let process = site.gateway.process();
            let line = testkit::wait::eventually("the audit log", async || {
                let stderr = process.stderr();
                let last = || stderr.lines().rfind(|it| it.contains("recovery_failed"));
                told(&stderr).then(|| last().unwrap().to_owned())
            });
            let line = line.await.unwrap_or_else(|_| reply.text());
            if !line.contains(&format!("address=\"{wanted}\"")) {
                let at = line.find("address=").unwrap_or(0);
                wrongs.push(format!(
                    "[{trusted}] {lines:?}: {}, not {wanted}",
                    &line[at..]
                ));
            }
        }
    }
    nothing_wrong(&wrongs);
}
