//! How a browser gets to a sandbox's own host, and how it does not.

use super::{House, code, location, path};
use testkit::client::{Client, Response};

/// The address at the sandbox with a fresh token, for the browser that asked.
async fn token(house: &House, browser: &Client, to: &str) -> String {
    let ask = location(&browser.navigate(to).await.unwrap());
    assert!(ask.starts_with(&house.gateway.base_url()), "{ask}");
    location(&house.ada.client.navigate(path(&ask)).await.unwrap())
}

fn refused(response: &Response, status: u16, part: &str) {
    assert_eq!(response.status, status, "{}", response.text());
    assert!(response.header("set-cookie").is_none());
    assert!(response.header("location").is_none());
    let text = response.text();
    assert!(text.contains(part), "{part} is not in {text}");
    assert!(text.contains("<a href="), "a page with a way on: {text}");
}

#[tokio::test]
async fn a_person_comes_back_to_the_page_that_they_asked_for() {
    let house = House::new().await;
    let browser = house.stranger("sandbox");
    let asked = browser.navigate("/a/b?c=%26d&e").await.unwrap();
    let cookie = asked.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly; SameSite=Lax") && !cookie.contains("Domain"),
        "{cookie}"
    );
    assert_eq!(asked.header("cache-control"), Some("no-store"));
    let ask = location(&asked);
    // Not logged in yet: the gateway asks first, and leads back.
    let stranger = house.gateway.client();
    let login = location(&stranger.navigate(path(&ask)).await.unwrap());
    assert!(
        login.starts_with("/login?next=%2Fauth%2Fenter%3F"),
        "{login}"
    );

    let back = location(&house.ada.client.navigate(path(&ask)).await.unwrap());
    assert!(back.starts_with(&format!("{}/.choiros/enter?", house.origin("sandbox"))));
    let entered = browser.navigate(path(&back)).await.unwrap();
    assert_eq!(
        location(&entered),
        format!("{}/a/b?c=%26d&e", house.origin("sandbox"))
    );
    let page = browser.navigate("/a/b?c=%26d&e").await.unwrap();
    assert_eq!(page.header("x-side"), Some("sandbox-live"));
    // The grant is good there alone.
    let grant = format!("choiros-grant-{}", house.gateway.port());
    let stolen = browser.cookie(&grant).unwrap();
    for label in ["sandbox-dev", "other"] {
        let elsewhere = house.stranger(label);
        elsewhere.set_cookie(&grant, &stolen);
        assert_eq!(elsewhere.get("/").await.unwrap().status, 401, "{label}");
    }
    let session = house.ada.client.session_cookie();
    let browser = house.stranger("sandbox");
    browser.set_cookie(&session, &house.ada.client.cookie(&session).unwrap());
    assert_eq!(
        browser.get("/").await.unwrap().status,
        401,
        "a session is no grant"
    );
}

#[tokio::test]
async fn a_token_is_good_once_at_one_host_for_one_browser() {
    let house = House::new().await;
    let browser = house.stranger("sandbox");
    let back = token(&house, &browser, "/").await;
    // Another browser, which never asked: an attacker's link, or the victim of one.
    let other = house.stranger("sandbox");
    refused(&other.navigate(path(&back)).await.unwrap(), 403, "cookie");
    // Used up by that.
    refused(
        &browser.navigate(path(&back)).await.unwrap(),
        403,
        "was used",
    );
    // A browser that asked itself, and is given the answer to somebody else's question.
    other.navigate("/").await.unwrap();
    let back = token(&house, &browser, "/").await;
    refused(&other.navigate(path(&back)).await.unwrap(), 403, "cookie");
    assert_eq!(other.get("/").await.unwrap().status, 401);

    let back = token(&house, &browser, "/").await;
    let dev = house.stranger("sandbox-dev");
    dev.navigate("/").await.unwrap();
    refused(
        &dev.navigate(path(&back)).await.unwrap(),
        403,
        "another sandbox",
    );

    let back = token(&house, &browser, "/").await;
    location(&browser.navigate(path(&back)).await.unwrap());
    refused(
        &browser.navigate(path(&back)).await.unwrap(),
        403,
        "was used",
    );
    assert_eq!(browser.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn an_attackers_link_logs_nobody_in_as_the_attacker() {
    let house = House::new().await;
    // Bob is let in at Ada's live, too, and makes a link of his own way in.
    let set = ["access", "sandbox", "live", "users"];
    assert!(house.gateway.cli(&set).await.unwrap().status.success());
    let bobs = house.stranger("sandbox");
    let ask = location(&bobs.navigate("/").await.unwrap());
    let link = location(&house.bob.client.navigate(path(&ask)).await.unwrap());
    // Ada's browser knows the sandbox, and has asked for a way in.
    let adas = house.at_live().await;
    refused(&adas.navigate(path(&link)).await.unwrap(), 403, "leave it");
    let page = adas.get("/").await.unwrap();
    assert_eq!(super::seen(&page, "x-choiros-user-name"), ["ada"]);
    // Nor does the question of his browser, put to her session, serve him.
    let ask = location(&house.stranger("sandbox").navigate("/").await.unwrap());
    let answer = location(&house.ada.client.navigate(path(&ask)).await.unwrap());
    refused(&adas.navigate(path(&answer)).await.unwrap(), 403, "cookie");
}

#[tokio::test]
async fn nobody_is_led_elsewhere() {
    let house = House::new().await;
    let origin = house.origin("sandbox");
    let port = house.gateway.port();
    let challenge = "A".repeat(43);
    let enter = async |to: &str| {
        let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
        let path = format!("/auth/enter?challenge={challenge}&to={to}");
        house.ada.client.navigate(&path).await.unwrap()
    };
    for to in [
        "",
        "/",
        "//evil.example/",
        "https://evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        &format!("https://sandbox.localhost:{port}/"),
        "http://sandbox.localhost/",
        &format!("http://sandbox.localhost:{}/", port ^ 1),
        &format!("http://sandbox.localhost:{port}@evil.example/"),
        &format!("http://ada@sandbox.localhost:{port}/"),
        &format!("http://sandbox.localhost:{port}.evil.example/"),
        &format!("http://evil.example\\sandbox.localhost:{port}/"),
        &format!("http://evil.example#sandbox.localhost:{port}/"),
        &format!("http://evil.example/sandbox.localhost:{port}/"),
        &format!("http://SANDBOX.localhost:{port}/"),
        &format!(" {origin}/"),
        &format!("ht\ttp://sandbox.localhost:{port}/"),
        &format!("http:/\\sandbox.localhost:{port}/"),
        &format!("http:///sandbox.localhost:{port}/"),
        &format!("{origin}\\@evil.example/"),
        &format!("{origin}/\r\nX: y"),
        &format!("{origin}/\u{e9}"),
        &format!("{origin}?x"),
        &format!("{origin}#x"),
        &format!("http://localhost:{port}/"),
        &format!("http://nobody.localhost:{port}/"),
    ] {
        refused(&enter(to).await, 404, "not one of a sandbox");
    }
    for to in ["", "/", "//evil.example/x", "/@evil", "/a?b=//c"] {
        let back = location(&enter(&format!("{origin}{to}")).await);
        assert!(
            back.starts_with(&format!("{origin}/.choiros/enter?")),
            "{back}"
        );
    }
    // What comes back is a path there, whatever somebody made of it.
    for to in [
        "//evil.example",
        "https://evil.example/",
        "\\evil",
        "@evil",
        ":80/",
    ] {
        let browser = house.stranger("sandbox");
        let back = token(&house, &browser, "/").await;
        let (way, _) = back.split_once("&to=").unwrap();
        let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
        let entered = browser
            .navigate(path(&format!("{way}&to={to}")))
            .await
            .unwrap();
        let led = location(&entered);
        assert!(led.starts_with(&format!("{origin}/")), "{led}");
    }
}

#[tokio::test]
async fn only_a_window_that_goes_there_is_let_in() {
    let house = House::new().await;
    let browser = house.stranger("sandbox");
    let ask = location(&browser.navigate("/").await.unwrap());
    let fetched = house.ada.client.get(path(&ask)).await.unwrap();
    assert_eq!(code(&fetched), "not_a_navigation");
    for dest in ["iframe", "frame", "embed", "object"] {
        let framed = house.ada.client.request(http::Method::GET, path(&ask));
        let framed = framed
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", "same-site")
            .header("sec-fetch-dest", dest)
            .send()
            .await
            .unwrap();
        refused(&framed, 403, "window");
    }
    let back = token(&house, &browser, "/").await;
    let fetched = browser.get(path(&back)).await.unwrap();
    assert_eq!(
        (fetched.status, &*code(&fetched)),
        (403.try_into().unwrap(), "enter_invalid")
    );
    let entered = browser.navigate(path(&back)).await.unwrap();
    location(&entered);
    for challenge in ["", "x", &"A".repeat(44)] {
        let to: String =
            url::form_urlencoded::byte_serialize(house.origin("sandbox").as_bytes()).collect();
        let path = format!("/auth/enter?challenge={challenge}&to={to}");
        refused(
            &house.ada.client.navigate(&path).await.unwrap(),
            403,
            "not whole",
        );
    }
}

#[tokio::test]
async fn who_may_not_look_is_not_let_in() {
    let house = House::new().await;
    let browser = house.stranger("sandbox");
    let ask = location(&browser.navigate("/").await.unwrap());
    let response = house.bob.client.navigate(path(&ask)).await.unwrap();
    refused(&response, 403, "not yours");
    // A session of a recovery code enters nowhere.
    let lost = house.gateway.client();
    let code = &house.ada.recovery_codes[0];
    let order = serde_json::json!({ "username": "ada", "code": code });
    let recovered = lost.post_json("/auth/recovery", &order).await.unwrap();
    assert!(recovered.status.is_success(), "{}", recovered.text());
    let response = lost.navigate(path(&ask)).await.unwrap();
    assert_eq!(location(&response), "/recovery");
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookies_is_told_so_and_goes_round_no_further() {
    let house = House::new().await;
    let browser = house.stranger("sandbox");
    let back = token(&house, &browser, "/").await;
    browser.clear_cookies();
    let response = browser.navigate(path(&back)).await.unwrap();
    refused(&response, 403, "allow cookies for this address");
}

#[tokio::test]
async fn many_tabs_enter_at_once() {
    let house = House::new().await;
    let browser = house.stranger("sandbox");
    let mut ways = Vec::new();
    for n in 0..4 {
        ways.push(token(&house, &browser, &format!("/{n}")).await);
    }
    for (n, way) in ways.iter().enumerate() {
        let entered = browser.navigate(path(way)).await.unwrap();
        assert!(location(&entered).ends_with(&format!("/{n}")));
    }
    assert_eq!(browser.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn an_address_that_is_too_long_to_be_carried_round_leads_to_its_path() {
    let house = House::new().await;
    let browser = house.stranger("sandbox");
    let back = token(&house, &browser, &format!("/a?{}", "b".repeat(3000))).await;
    let entered = browser.navigate(path(&back)).await.unwrap();
    assert_eq!(location(&entered), format!("{}/a", house.origin("sandbox")));
}
