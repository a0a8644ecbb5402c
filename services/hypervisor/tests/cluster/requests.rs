//! Whichever gateway a request comes to, it is served at the home of its workspace.

use crate::common::{builder, builder_of_own_origins};
use crate::{at, cluster, event, home};
use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use serde_json::{Value, json};
use testkit::person::Person;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_person_has_one_sandbox_whichever_gateway_they_come_to() {
    let cluster = cluster!(builder);
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    for gateway in 0..3 {
        let here = cluster.through(&ada.client, gateway);
        let me = here.get("/auth/me").await.unwrap();
        assert!(me.text().contains("ada"), "{gateway}: {}", me.text());
        event(&here, &gateway.to_string()).await;
    }
    for gateway in 0..3 {
        let here = cluster.through(&ada.client, gateway);
        let events = here.get("/logs/events").await.unwrap().text();
        for told in 0..3 {
            assert!(
                events.contains(&format!("\"told\":\"{told}\"")),
                "{gateway}: {events}"
            );
        }
    }
}

#[tokio::test]
async fn bodies_websockets_and_event_streams_pass() {
    let cluster = cluster!(builder);
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    let other = at(&cluster, &ada, (home(&cluster) + 1) % 3);
    let mut socket = other.client.websocket("/ws/logs/events").await.unwrap();
    let mut stream = other.client.events("/logs/events", None).await.unwrap();
    let large = "x".repeat(50_000);
    event(&other.client, &large).await;
    let heard = async {
        while let Some(message) = socket.next().await {
            if message
                .unwrap()
                .to_text()
                .is_ok_and(|text| text.contains(&large))
            {
                return;
            }
        }
        panic!("the WebSocket ended");
    };
    tokio::time::timeout(testkit::wait::DEADLINE, heard)
        .await
        .unwrap();
    socket.send(Message::Ping("there".into())).await.unwrap();
    let pong = socket.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("there".into()));
    loop {
        let event = stream.next().await.unwrap().expect("the stream goes on");
        if event.data.contains(&large) {
            break;
        }
    }
    // What opened them ends, whichever gateway hears of that.
    let out = at(&cluster, &ada, (home(&cluster) + 2) % 3);
    let out = out
        .client
        .request(Method::POST, "/auth/logout")
        .send()
        .await
        .unwrap();
    assert_eq!(out.status, 303);
    let ended = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(testkit::wait::DEADLINE, ended)
        .await
        .unwrap();
}

#[tokio::test]
async fn each_gateway_leads_to_each_sandbox_at_its_own_host() {
    let cluster = cluster!(builder_of_own_origins);
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    for gateway in 0..3 {
        let here = at(&cluster, &ada, gateway);
        let there = here.enter("sandbox-dev.localhost").await.unwrap();
        event(&there, &gateway.to_string()).await;
        // The cookie is good at each of them.
        let next = cluster.through(&there, (gateway + 1) % 3);
        let events = next.get("/logs/events").await.unwrap();
        assert_eq!(events.status, 200, "{}", events.text());
    }
    let stranger = cluster.client(1).at("sandbox.localhost").unwrap();
    let refused = stranger.get("/logs/events").await.unwrap();
    assert_eq!(refused.status, 401, "{}", refused.text());
}

#[tokio::test]
async fn what_a_person_changes_is_changed_at_home_and_answered_from_there() {
    let cluster = cluster!(builder);
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    for round in 0..3_u64 {
        let here = at(
            &cluster,
            &ada,
            (home(&cluster) + 1 + usize::try_from(round).unwrap()) % 3,
        );
        let swapped = here.swap(json!({})).await.unwrap();
        assert_eq!(swapped.status, 200, "{}", swapped.text());
        for gateway in 0..3 {
            let here = cluster.through(&ada.client, gateway);
            let rows: Value = here.get("/admin/sandboxes").await.unwrap().json().unwrap();
            assert_eq!(rows[0]["generation"], 2 + round, "{gateway}");
            assert_eq!(rows[0]["status"], "running", "{gateway}");
        }
    }
}

#[tokio::test]
async fn a_token_is_good_at_each_and_for_its_scopes_alone() {
    let cluster = cluster!(builder);
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    let order = json!({ "name": "ci", "scopes": ["sandbox:open"], "days": 1 });
    let made = ada.act("create_token", order).await.unwrap();
    assert_eq!(made.status, 200, "{}", made.text());
    let made: Value = made.json().unwrap();
    let token = made["token"].as_str().unwrap().to_owned();
    for gateway in 0..3 {
        let program = cluster.client(gateway);
        let get = |path: &str| {
            let bearer = format!("Bearer {token}");
            program
                .request(Method::GET, path)
                .header("authorization", &bearer)
                .send()
        };
        assert_eq!(get("/logs/events").await.unwrap().status, 200, "{gateway}");
        let refused = get("/.choiros/api/users").await.unwrap();
        assert_eq!(refused.status, 403, "{gateway}: {}", refused.text());
    }
}

#[tokio::test]
async fn nobody_but_a_machine_gets_in_where_machines_do() {
    let cluster = cluster!(builder);
    Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    let port = cluster.port_between_machines(0);
    let plain = testkit::client::Client::new(&format!("http://localhost:{port}"));
    plain.get("/health").await.unwrap_err();
    let authority = testkit::tls::Authority::new().unwrap();
    let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
    let config = std::sync::Arc::new(authority.trusted());
    testkit::tls::connect(address, "a", config)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_log_in_may_begin_at_one_and_end_at_another() {
    let cluster = cluster!(builder);
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    for begins in 0..3 {
        let ends = (begins + 1) % 3;
        let mut browser = ada.clone();
        browser.client = cluster.client(begins);
        let order = json!({ "username": "ada" });
        let begun = browser
            .client
            .post_json("/auth/login/start", &order)
            .await
            .unwrap();
        let assertion = browser.assertion(&begun.json().unwrap()).unwrap();
        let there = cluster.through(&browser.client, ends);
        let done = there
            .post_json("/auth/login/finish", &assertion)
            .await
            .unwrap();
        assert_eq!(done.status, 200, "{begins} {ends}: {}", done.text());
        assert!(there.get("/auth/me").await.unwrap().text().contains("ada"));
    }
}

#[tokio::test]
async fn an_order_given_at_any_machine_is_done_at_home() {
    let cluster = cluster!(builder);
    Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    let server = testkit::postgres::shared().unwrap().unwrap();
    let name = server
        .sql(&cluster.store, "SELECT name FROM workspaces WHERE owned")
        .unwrap();
    for gateway in 0..3 {
        for args in [
            &["sandboxes", "stop", &name, "dev"][..],
            &["sandboxes", "start", &name, "dev"],
            &["swap", &name],
            &["history", &name],
            &["access", &name, "live"],
            &["snapshot", &name, "live"],
        ] {
            let done = cluster.gateways[gateway].cli(args).await.unwrap();
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{gateway} {args:?}: {said}");
        }
    }
    let machines = cluster.gateways[1]
        .cli(&["machines", "--json"])
        .await
        .unwrap();
    let machines: Value = serde_json::from_slice(&machines.stdout).unwrap();
    let there = machines
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["is_there"] == true);
    assert_eq!(there.count(), 3, "{machines}");
}
