//! Plain HTTP, and other names of the host.

use crate::site::{Site, get};
use testkit::port::Port;
use testkit::raw::{self, status};

const HSTS: &str = "strict-transport-security";

fn field<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let named = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.trim()).collect()
}

struct Edge {
    site: Site,
    port: Port,
    webroot: tempfile::TempDir,
}

impl Edge {
    async fn start() -> Self {
        let port = Port::reserve().unwrap();
        let webroot = tempfile::tempdir().unwrap();
        let site = Site::start(&format!(
            "http_listen = [\"127.0.0.1:{}\"]\nacme_webroot = \"{}\"\n\
             redirect_hosts = [\"www.example\", \"example\"]",
            port.number(),
            webroot.path().display()
        ))
        .await;
        Self {
            site,
            port,
            webroot,
        }
    }

    /// The response to these bytes over plain HTTP.
    async fn plain(&self, request: impl AsRef<[u8]>) -> String {
        let address = ([127, 0, 0, 1], self.port.number()).into();
        let said = raw::exchange(address, request).await.unwrap();
        assert!(said.clean);
        String::from_utf8(said.bytes).unwrap()
    }
}

#[tokio::test]
async fn plain_http_leads_to_the_origin_and_nowhere_else() {
    let edge = Edge::start().await;
    let (site, origin) = (&edge.site, edge.site.gateway.base_url());
    for host in [
        &site.host(),
        "localhost",
        "www.example",
        "evil.example",
        "192.0.2.1",
    ] {
        for path in [
            "/",
            "/a/b?c=d&e=%2f",
            "//evil.example/",
            "/auth/login/start",
        ] {
            let said = edge.plain(get(host, path, "")).await;
            assert_eq!(status(&said), Some(308), "{said}");
            assert_eq!(field(&said, "location"), [format!("{origin}{path}")]);
            assert_eq!(field(&said, "connection"), ["close"]);
            assert!(field(&said, HSTS).is_empty(), "a promise over plain HTTP");
        }
    }
    let post = "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi";
    let said = edge.plain(post).await;
    assert_eq!(field(&said, "location"), [format!("{origin}/x")]);
    let absolute = "GET http://evil.example/x HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    let said = edge.plain(absolute).await;
    if status(&said) == Some(308) {
        assert_eq!(field(&said, "location"), [format!("{origin}/x")]);
    }
    // The rules for requests are those of all others.
    for bad in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET /\r\nLocation: x HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let said = edge.plain(bad).await;
        assert_eq!(status(&said), Some(400), "{bad:?}: {said}");
    }
}

#[tokio::test]
async fn other_names_lead_to_the_origin_over_tls_too() {
    let edge = Edge::start().await;
    let origin = edge.site.gateway.base_url();
    for host in ["www.example", "EXAMPLE:443", "www.example."] {
        let mut raw = edge.site.raw().await;
        raw.send(get(host, "/x?y=z", "")).await.unwrap();
        let head = raw.read_head().await.unwrap();
        assert_eq!(status(&head), Some(308), "{head}");
        assert_eq!(field(&head, "location"), [format!("{origin}/x?y=z")]);
        assert_eq!(field(&head, HSTS), ["max-age=31536000"]);
    }
    let (parts, _) = edge.site.http2("www.example", "/x?y=z", "").await;
    assert_eq!(parts.status, 308);
    assert_eq!(parts.headers["location"], format!("{origin}/x?y=z"));
    assert_eq!(parts.headers[HSTS], "max-age=31536000");
    let mut raw = edge.site.raw().await;
    raw.send(get(&edge.site.host(), "/login", ""))
        .await
        .unwrap();
    assert_eq!(status(raw.read_head().await.unwrap()), Some(200));
}

#[tokio::test]
async fn a_challenge_is_served_over_plain_http_from_its_folder_alone() {
    let edge = Edge::start().await;
    let prefix = ".well-known/acme-challenge";
    let challenges = edge.webroot.path().join(prefix);
    std::fs::create_dir_all(challenges.join("folder")).unwrap();
    std::fs::write(challenges.join("tok-En_1"), "tok-En_1.thumb").unwrap();
    std::fs::write(edge.webroot.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("../../secret", challenges.join("link")).unwrap();
    // Whatever the host is: a CA comes by each name of the certificate.
    for host in ["www.example", "localhost", "other.example"] {
        let said = edge
            .plain(get(host, &format!("/{prefix}/tok-En_1"), ""))
            .await;
        assert_eq!(status(&said), Some(200), "{said}");
        assert!(said.ends_with("\r\n\r\ntok-En_1.thumb"), "{said}");
    }
    for token in [
        "",
        "absent",
        "folder",
        "folder/",
        "link",
        "..",
        "../../secret",
        "%2e%2e/%2e%2e/secret",
        "..%2f..%2fsecret",
        "%2e",
        "tok-En_1/",
        "tok%2dEn_1",
        "./tok-En_1",
        "tok-En_1%00",
    ] {
        let said = edge
            .plain(get("localhost", &format!("/{prefix}/{token}"), ""))
            .await;
        assert_eq!(status(&said), Some(404), "{token}: {said}");
        assert!(!said.contains("secret\r\n"), "{token}");
    }
    // Anything else there is the sandbox's, over TLS.
    let said = edge
        .plain(get("localhost", "/.well-known/security.txt", ""))
        .await;
    assert_eq!(status(&said), Some(308));
}

#[tokio::test]
async fn browsers_are_told_to_come_by_https_with_whatever_they_are_answered() {
    let site = Site::start("").await;
    let person = site.person().await;
    let theirs = "/reply?header=strict-transport-security:max-age%3D0&status=404";
    let cookie = format!("Cookie: {}\r\n", person.cookie());
    for (path, fields, code) in [
        ("/health", "", 200),
        ("/login", "", 200),
        ("/", "Sec-Fetch-Mode: cors\r\n", 401),
        ("/x", cookie.as_str(), 200),
        (theirs, &cookie, 404),
        ("/dev/x", &cookie, 200),
        ("/auth/assets/nothing", "", 404),
        (
            "/x",
            "Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n",
            303,
        ),
    ] {
        let mut raw = site.raw().await;
        raw.send(get(&site.host(), path, fields)).await.unwrap();
        let head = raw.read_head().await.unwrap();
        assert_eq!(status(&head), Some(code), "{path}: {head}");
        assert_eq!(field(&head, HSTS), ["max-age=31536000"], "{path}: {head}");
    }
    let (parts, _) = site.http2(&site.host(), theirs, &person.cookie()).await;
    assert_eq!(parts.status, 404);
    let said: Vec<_> = parts.headers.get_all(HSTS).iter().collect();
    assert_eq!(said, ["max-age=31536000"]);
}

#[tokio::test]
async fn the_promise_can_be_another_or_none() {
    for (secs, promise) in [(0, &[][..]), (86_400, &["max-age=86400"])] {
        let site = Site::start(&format!("hsts_secs = {secs}")).await;
        let mut raw = site.raw().await;
        raw.send(get(&site.host(), "/health", "")).await.unwrap();
        assert_eq!(field(&raw.read_head().await.unwrap(), HSTS), promise);
    }
}
