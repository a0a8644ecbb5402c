//! What a client says of itself and of where it comes from, in every spelling.

use crate::h2::Client;
use crate::site::Site;
use crate::{lines, nothing_wrong};
use http::Request;

/// What has these prefixes, or these names, is said by the gateway alone.
const NAMES: &[&str] = &[
    "x-choiros-user-id",
    "x-choiros-user-name",
    "x-choiros-workspace",
    "x-choiros-role",
    "x-choiros-generation",
    "x-choiros-admin",
    "x-choiros-",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-user",
    "forwarded",
];

/// What a field's name may be made of beside letters and digits.
const SEPARATORS: &str = "-_.!~'*+^`|#$%&";

/// Names that only look like those.
const HARMLESS: &[&str] = &[
    "X-Choirosx",
    "X-Choiros",
    "XX-ChoirOS-Role",
    "X-X-Forwarded-For",
    "X-Forwarded",
    "Forwarded-For",
    "X-Forward-For",
    "Not_Forwarded",
    "X.Request.Id",
];

fn spellings() -> Vec<String> {
    let mut all = Vec::new();
    for name in NAMES {
        for separator in SEPARATORS.chars() {
            let one = name.replace('-', &separator.to_string());
            all.push(one.clone());
            all.push(one.to_ascii_uppercase());
        }
        // A different one in each place.
        let mut separators = SEPARATORS.chars().skip(1);
        let mix = |it: char| {
            if it == '-' {
                separators.next().unwrap()
            } else {
                it
            }
        };
        all.push(name.chars().map(mix).collect());
    }
    for name in ["X_ChoirOS!User-Id", "X.ChoirOS.User.Id", "x~forwarded~for"] {
        all.push(name.to_owned());
    }
    all.sort();
    all.dedup();
    all
}

/// What came of fields with evil values.
fn evil(site: &Site, path: &str, how: &str) -> Vec<String> {
    let head = site.sandbox.last(path).head;
    let mut wrongs = Vec::new();
    if head.values("x-choiros-user-id").len() != 1 || head.values("x-choiros-role") != ["live"] {
        wrongs.push(format!("{how}: not who it is: {:?}", head.first));
    }
    let came = head.fields.iter().filter(|it| it.1.contains("EVIL"));
    wrongs.extend(came.map(|(name, _)| format!("{how}: {name} came")));
    wrongs
}

#[tokio::test]
async fn no_spelling_of_an_identity_or_forwarding_header_reaches_a_sandbox() {
    let site = Site::start().await;
    let client = Client::connect(site.gateway.address()).await;
    let mut wrongs = Vec::new();
    for (index, names) in spellings().chunks(40).enumerate() {
        let fields = lines(names, "EVIL");
        for (how, end) in [
            ("GET", "\r\n"),
            ("POST", "Content-Length: 2\r\n\r\nhi"),
            (
                "PUT",
                "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            ),
        ] {
            let path = format!("/{index}-{how}");
            let reply = site
                .ask(site.head(&format!("{how} {path}")) + &fields + end)
                .await;
            if reply.status != 200 {
                wrongs.push(format!("{path}: {} {}", reply.status, reply.text()));
            }
            wrongs.extend(evil(&site, &path, how));
        }
        let path = format!("/{index}-http2");
        let mut request =
            Request::get(format!("http://{}{path}", site.host)).header("cookie", &site.cookie);
        for name in names {
            request = request.header(name.to_ascii_lowercase(), "EVIL");
        }
        let reply = client.ask(request.body(()).unwrap(), None, None).await;
        if reply.status != 200 {
            wrongs.push(format!("{path}: {} {}", reply.status, reply.why));
        }
        wrongs.extend(evil(&site, &path, "HTTP/2"));
    }
    nothing_wrong(&wrongs);
}

#[tokio::test]
async fn what_only_looks_like_one_reaches_it() {
    let site = Site::start().await;
    let fields = lines(HARMLESS, "fine");
    site.ask(site.head("GET /x") + &fields + "\r\n").await;
    let head = site.sandbox.last("/x").head;
    for name in HARMLESS {
        assert_eq!(head.values(name), ["fine"], "{name}");
    }
}

#[tokio::test]
async fn a_client_cannot_have_ours_removed_as_its_connections_own() {
    let site = Site::start().await;
    let named = "Connection: X-ChoirOS-User-Id, x-choiros-role, X-Forwarded-For, \
        x-forwarded-proto, X-Forwarded-Host, traceparent, Host, Content-Length\r\n";
    let rest = format!("{named}Content-Length: 2\r\n\r\nhi");
    site.ask(site.head("POST /x") + &rest).await;
    let seen = site.sandbox.last("/x");
    for name in [
        "x-choiros-user-id",
        "x-choiros-role",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "traceparent",
        "host",
    ] {
        assert_eq!(seen.head.values(name).len(), 1, "{name}");
    }
    assert_eq!(seen.content.body, b"hi");
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_by_the_names_that_it_writes_alone() {
    let trusted = "[server]\ntrusted_proxies = [\"127.0.0.1/32\"]";
    let site = Site::with(trusted, None, |builder| builder).await;
    let fields = "X-FORWARDED-FOR: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\
        X-Forwarded-Host: os.example\r\n";
    // What a client sends past a proxy that does not know that a sandbox reads it the same.
    let spoofed = "X_Forwarded_For: EVIL\r\nx.forwarded.host: EVIL\r\nX_Forwarded-Proto: EVIL\r\n\
        X-ChoirOS-Role: EVIL\r\nX_ChoirOS_User_Id: EVIL\r\nX-Forwarded-Prefix: /EVIL\r\n";
    site.ask(site.head("GET /x") + fields + spoofed + "\r\n")
        .await;
    nothing_wrong(&evil(&site, "/x", "GET"));
    let head = site.sandbox.last("/x").head;
    assert!(head.values("x-forwarded-for")[0].starts_with("192.0.2.1"));
    assert_eq!(head.values("x-forwarded-proto"), ["https"]);
    assert_eq!(head.values("x-forwarded-host"), ["os.example"]);
}
