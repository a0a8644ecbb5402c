//! While nobody reaches the store, nobody waits for it.

use crate::common::builder;
use crate::{cluster, home};
use futures_util::future::join_all;
use http::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::client::{Client, Request, Response};
use testkit::cluster::Cluster;
use testkit::link::Passes;
use testkit::person::Person;
use testkit::postgres::Postgres;
use testkit::wait::eventually;
use tokio::time::timeout;

/// What a statement may take here, in seconds: whoever waits for the store itself waits for longer
/// than this test does.
const STATEMENT: &str = "60";
const PATIENCE: Duration = Duration::from_secs(30);

/// What it answers in time.
async fn answer(request: Request) -> Response {
    let answered = timeout(PATIENCE, request.send()).await;
    answered.expect("nobody waits for the store").unwrap()
}

async fn refused(what: &str, request: Request) {
    let response = answer(request).await;
    let said = response.text();
    assert_eq!(response.status, 503, "{what}: {said}");
    let said: Value = response.json().unwrap();
    assert_eq!(said["error"], "store_unavailable", "{what}: {said}");
}

/// Requests that need the store, whoever sends them; this cookie is of no session in memory.
fn in_need(client: &Client, cookie: &str) -> Vec<(&'static str, Request)> {
    let post = |path| client.request(Method::POST, path);
    let name = json!({ "username": "ada" });
    let get = |path| client.request(Method::GET, path).header("cookie", cookie);
    vec![
        ("a log-in", post("/auth/login/start").json(&name).unwrap()),
        ("a first request", get("/logs/events")),
        ("who one is", get("/auth/me")),
        ("the account", get("/account")),
        ("an admin's page", get("/admin")),
        ("the admin's list", get("/api/users")),
        ("a log-out", post("/auth/logout").header("cookie", cookie)),
    ]
}

async fn nobody_waits(cluster: &Cluster, ada: &Person, ended: &str) {
    let orders: [(usize, &[&str]); 4] = [
        (0, &["invite"]),
        (1, &["swap", "sandbox"]),
        (1, &["users", "list"]),
        (2, &["users", "disable", "ada"]),
    ];
    let orders = orders.map(|(gateway, args)| async move {
        let done = timeout(PATIENCE, cluster.gateways[gateway].cli(args)).await;
        let done = done.expect("no order waits for the store").unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success(), "{args:?}: {said}");
        assert!(said.contains("the store"), "{args:?}: {said}");
    });
    let requests = (0..3).flat_map(|gateway| in_need(&cluster.client(gateway), ended));
    let requests = requests.map(|(what, request)| refused(what, request));
    tokio::join!(join_all(orders), join_all(requests));
    // By then nobody is known any longer either.
    for gateway in 0..3 {
        let here = cluster.through(&ada.client, gateway);
        for (what, request) in in_need(&here, &ada.cookie()) {
            refused(what, request).await;
        }
    }
}

#[tokio::test]
async fn a_strict_gateway_answers_at_once_that_the_store_is_away() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let cluster = Cluster::start(&server, || {
        builder()
            .env("HYPERVISOR_STORE_GRACE_SECS", "0")
            .env("HYPERVISOR_STORE_TIMEOUT_SECS", STATEMENT)
    });
    let cluster = cluster.await.unwrap();
    let ada = Person::register_with(cluster.client(0), "ada");
    let ada = ada.await.unwrap();
    let ended = ada.cookie();
    let out = ada.client.request(Method::POST, "/auth/logout");
    assert_eq!(answer(out).await.status, 303);
    ada.log_in().await.unwrap();
    let again = async || {
        for gateway in 0..3 {
            let here = cluster.through(&ada.client, gateway);
            let served = here.get("/logs/events").await.unwrap();
            (served.status == 200).then_some(())?;
        }
        Some(())
    };
    for stops in [true, false] {
        eventually("ada to be known", again).await.unwrap();
        if stops {
            server.signal(Signal::STOP).unwrap();
        } else {
            (0..3).for_each(|gateway| cluster.set_store(gateway, Passes::Neither));
        }
        nobody_waits(&cluster, &ada, &ended).await;
        if stops {
            server.signal(Signal::CONT).unwrap();
        } else {
            (0..3).for_each(|gateway| cluster.set_store(gateway, Passes::Both));
        }
    }
    eventually("ada to be known again", again).await.unwrap();
}

#[tokio::test]
async fn who_is_known_hears_who_they_are_for_the_grace() {
    let cluster = cluster!(|| builder().env("HYPERVISOR_STORE_TIMEOUT_SECS", STATEMENT));
    let ada = Person::register_with(cluster.client(0), "ada");
    let ada = ada.await.unwrap();
    let home = home(&cluster);
    let here = cluster.through(&ada.client, home);
    let me = async || {
        let response = answer(here.request(Method::GET, "/auth/me")).await;
        assert_eq!(response.status, 200, "{}", response.text());
        response.json::<Value>().unwrap()
    };
    let known = async || (me().await["authenticated"] == true).then_some(());
    eventually("ada to be known", known).await.unwrap();
    let before = me().await;
    assert_eq!(before["recovery_codes_left"], 10);
    cluster.set_store(home, Passes::Neither);
    let mut expected = before.clone();
    expected["recovery_codes_left"] = Value::Null;
    assert_eq!(me().await, expected, "all but what the store alone knows");
    cluster.set_store(home, Passes::Both);
    let again = async || (me().await == before).then_some(());
    eventually("the rest to be told again", again)
        .await
        .unwrap();
}
