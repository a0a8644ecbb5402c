//! What one gateway has answered, all of them know.

use crate::common::builder;
use crate::{at, cluster, event, home};
use http::Method;
use std::time::{Duration, Instant};
use testkit::cluster::Cluster;
use testkit::link::Passes;
use testkit::person::Person;
use testkit::postgres;
use testkit::wait::eventually;

async fn status(cluster: &Cluster, person: &Person, gateway: usize) -> u16 {
    let here = cluster.through(&person.client, gateway);
    here.get("/logs/events").await.unwrap().status.as_u16()
}

/// A gateway that is not heard of for long, as on a machine that is busy, has to hear first.
async fn until_known(cluster: &Cluster, person: &Person, gateway: usize) {
    let known = async || (status(cluster, person, gateway).await == 200).then_some(());
    eventually("the session to be known", known).await.unwrap();
}

#[tokio::test]
async fn a_session_that_is_ended_at_one_is_ended_at_all_when_that_is_answered() {
    let cluster = cluster!(builder);
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    for round in 0..9 {
        for gateway in 0..3 {
            assert_eq!(status(&cluster, &ada, gateway).await, 200);
        }
        let cookie = ada.cookie();
        let out = cluster.through(&ada.client, round % 3);
        let out = out
            .request(Method::POST, "/auth/logout")
            .send()
            .await
            .unwrap();
        assert_eq!(out.status, 303);
        for gateway in 0..3 {
            let thief = cluster.client(gateway);
            let refused = thief
                .request(Method::GET, "/logs/events")
                .header("cookie", &cookie);
            let refused = refused.send().await.unwrap();
            assert_eq!(refused.status, 401, "round {round}, gateway {gateway}");
        }
        at(&cluster, &ada, (round + 1) % 3).log_in().await.unwrap();
    }
}

#[tokio::test]
async fn who_is_disabled_removed_or_renamed_is_so_at_all() {
    let cluster = cluster!(builder);
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    let bob = Person::register_with(cluster.client(1), "bob")
        .await
        .unwrap();
    for gateway in 0..3 {
        assert_eq!(status(&cluster, &bob, gateway).await, 200);
    }
    let order = |gateway: usize, args: &'static [&'static str]| {
        let gateway = &cluster.gateways[gateway];
        async move {
            let done = gateway.cli(args).await.unwrap();
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            assert!(done.status.success(), "{args:?}: {said}");
        }
    };
    order(2, &["users", "rename", "bob", "robert"]).await;
    for gateway in 0..3 {
        let here = cluster.through(&bob.client, gateway);
        assert!(
            here.get("/auth/me")
                .await
                .unwrap()
                .text()
                .contains("robert")
        );
    }
    order(0, &["users", "disable", "robert"]).await;
    for gateway in 0..3 {
        assert_eq!(status(&cluster, &bob, gateway).await, 401, "{gateway}");
        assert_eq!(status(&cluster, &ada, gateway).await, 200, "{gateway}");
    }
    order(1, &["users", "remove", "robert", "--yes"]).await;
    let people = cluster.gateways[2].cli(&["users", "list"]).await.unwrap();
    assert!(!String::from_utf8_lossy(&people.stdout).contains("robert"));
    // Their workspace goes, wherever it was.
    let server = postgres::shared().unwrap().unwrap();
    let archived = async || {
        let sql = "SELECT state FROM archives";
        (server.sql(&cluster.store, sql).unwrap() == "kept").then_some(())
    };
    eventually("the archive to be whole", archived)
        .await
        .unwrap();
}

#[tokio::test]
async fn one_that_does_not_hear_is_waited_for_until_it_has_stopped_by_itself() {
    let cluster = cluster!(|| builder()
        .env("HYPERVISOR_STORE_GRACE_SECS", "0")
        .env("HYPERVISOR_STORE_TIMEOUT_SECS", "1"));
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    let home = home(&cluster);
    let deaf = (home + 1) % 3;
    for gateway in 0..3 {
        until_known(&cluster, &ada, gateway).await;
    }
    cluster.set_store(deaf, Passes::Neither);
    let begun = Instant::now();
    let out = cluster.through(&ada.client, home);
    let cookie = ada.cookie();
    let out = out
        .request(Method::POST, "/auth/logout")
        .send()
        .await
        .unwrap();
    assert_eq!(out.status, 303);
    assert!(
        begun.elapsed() > Duration::from_millis(700),
        "it was waited for"
    );
    let thief = cluster.client(deaf);
    let get = || {
        thief
            .request(Method::GET, "/auth/me")
            .header("cookie", &cookie)
            .send()
    };
    let refused = get().await.unwrap();
    assert!(!refused.text().contains("ada"), "{}", refused.text());
    cluster.set_store(deaf, Passes::Both);
    let again = async || {
        let answered = get().await.unwrap();
        let is_heard = !answered.text().contains("ada") && answered.status == 200;
        is_heard.then_some(())
    };
    eventually("it to hear again", again).await.unwrap();
}

#[tokio::test]
async fn without_the_store_known_sessions_go_on_for_the_grace() {
    let cluster = cluster!(|| builder()
        .env("HYPERVISOR_STORE_GRACE_SECS", "6")
        .env("HYPERVISOR_STORE_TIMEOUT_SECS", "1"));
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    let home = home(&cluster);
    until_known(&cluster, &ada, home).await;
    cluster.set_store(home, Passes::Neither);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        assert_eq!(status(&cluster, &ada, home).await, 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let over = async || (status(&cluster, &ada, home).await == 503).then_some(());
    eventually("the grace to be over", over).await.unwrap();
    cluster.set_store(home, Passes::Both);
    let again = async || (status(&cluster, &ada, home).await == 200).then_some(());
    eventually("it to know again", again).await.unwrap();
}

#[tokio::test]
async fn a_home_that_is_killed_has_its_workspaces_again_when_it_is_back() {
    let mut cluster = cluster!(builder);
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    let home = home(&cluster);
    let other = (home + 1) % 3;
    event(&cluster.through(&ada.client, other), "before").await;
    cluster.gateways[home].kill9().unwrap();
    let gone = cluster
        .through(&ada.client, other)
        .navigate("/logs/events")
        .await
        .unwrap();
    assert_eq!(gone.status, 503);
    assert!(gone.text().contains("machine"), "{}", gone.text());
    // What there is to see elsewhere is seen, and others are not kept from anything.
    let me = cluster
        .through(&ada.client, other)
        .get("/auth/me")
        .await
        .unwrap();
    assert!(me.text().contains("ada"), "{}", me.text());
    let server = postgres::shared().unwrap().unwrap();
    let noticed = async || {
        let sql = "SELECT 1 FROM machines WHERE seen_at < clock_timestamp() - interval '2 s'";
        (server.sql(&cluster.store, sql).unwrap() == "1").then_some(())
    };
    eventually("it to be taken for gone", noticed)
        .await
        .unwrap();
    let bob = Person::register_with(cluster.client(other), "bob")
        .await
        .unwrap();
    event(&cluster.through(&bob.client, (home + 2) % 3), "bob").await;
    let out = cluster
        .through(&ada.client, other)
        .request(Method::POST, "/auth/logout");
    assert_eq!(out.send().await.unwrap().status, 303);
    cluster.gateways[home].restart().await.unwrap();
    assert_eq!(
        status(&cluster, &ada, home).await,
        401,
        "it was decided meanwhile"
    );
    at(&cluster, &ada, other).log_in().await.unwrap();
    let seen = async || {
        let events = cluster
            .through(&ada.client, other)
            .get("/logs/events")
            .await
            .unwrap();
        events.text().contains("before").then_some(())
    };
    eventually("its sandbox to be served again", seen)
        .await
        .unwrap();
}
