//! A workspace moves to another machine, with all that was written, while people use it.

use crate::at;
use crate::common::{builder, builder_of_own_origins};
use crate::moving::{Moving, NAME, next};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::cluster::NAMES;
use testkit::link::Passes;
use testkit::person::Person;
use testkit::wait::eventually;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

/// Writes through each of the gateways until it is over; each write has to be taken.
async fn write_all_the_time(moving: &Moving, over: &AtomicBool, written: &Mutex<Vec<String>>) {
    let writer = async |gateway: usize| {
        let mut count = 0;
        while !over.load(Ordering::Relaxed) {
            count += 1;
            let told = format!("{gateway}-{count}");
            moving.write(gateway, &told).await.unwrap();
            written.lock().unwrap().push(told);
        }
    };
    tokio::join!(writer(0), writer(1), writer(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_uses_it_notices_but_by_waiting() {
    let Some(moving) = Moving::start(builder).await else {
        return;
    };
    let (over, written) = (AtomicBool::new(false), Mutex::default());
    let moves = async {
        let mut generation = 1;
        for round in 0..6 {
            sleep(Duration::from_millis(300)).await;
            let (from, to) = (moving.home(), next(moving.home()));
            // Whichever machine it is said to.
            let moved = moving.try_to_move(round % 3, to).await.unwrap();
            assert_eq!(moved["from"], NAMES[from], "{moved}");
            assert_eq!(moved["to"], NAMES[to], "{moved}");
            assert!(
                moved["generation"].as_u64().unwrap() > generation,
                "{moved}"
            );
            generation = moved["generation"].as_u64().unwrap();
            assert_eq!(moving.home(), to);
        }
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(moves, write_all_the_time(&moving, &over, &written));
    let written = written.into_inner().unwrap();
    assert!(written.len() > 100, "{}", written.len());
    moving.assert_written(&written).await;
    moving.assert_settled().await;
    let history =
        moving.sql("SELECT count(*) FROM changes WHERE kind = 'move' AND outcome = 'done'");
    assert_eq!(history, "6");
    let told = moving
        .sql("SELECT count(*) FROM audit WHERE event = 'home_changed' AND user_id IS NOT NULL");
    assert_eq!(told, "6");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_each_sandbox_has_goes_along_whichever_is_live() {
    let Some(moving) = Moving::start(builder_of_own_origins).await else {
        return;
    };
    let enter = async |host: &str| {
        let here = at(&moving.cluster, &moving.bob, moving.home());
        here.enter(host).await.unwrap()
    };
    let (live, dev) = ("bob.localhost", "bob-dev.localhost");
    crate::event(&enter(live).await, "born live").await;
    crate::event(&enter(dev).await, "born dev").await;
    for (swaps, [in_live, in_dev]) in [
        (true, ["born dev", "born live"]),
        (false, ["born dev", "born live"]),
        (true, ["born live", "born dev"]),
    ] {
        let home = moving.home();
        if swaps {
            let swapped = moving.cluster.gateways[home].cli(&["swap", NAME]).await;
            assert!(swapped.unwrap().status.success());
        }
        let stopped = ["sandboxes", "stop", NAME, "dev"];
        let stopped = moving.cluster.gateways[home].cli(&stopped).await;
        assert!(stopped.unwrap().status.success());
        moving.try_to_move(0, next(home)).await.unwrap();
        // Who was stopped is so there, and has its data all the same.
        let refused = enter(dev).await.get("/logs/events").await.unwrap();
        assert_eq!(refused.status, 503, "{}", refused.text());
        assert!(refused.text().contains("stopped by"), "{}", refused.text());
        let started = ["sandboxes", "start", NAME, "dev"];
        let started = moving.cluster.gateways[home].cli(&started).await;
        assert!(started.unwrap().status.success());
        for (host, told) in [(live, in_live), (dev, in_dev)] {
            let events = enter(host).await.get("/logs/events").await.unwrap();
            assert_eq!(events.status, 200, "{}", events.text());
            assert!(events.text().contains(told), "{host}: {}", events.text());
        }
        moving.assert_settled().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_open_is_told_to_come_again_and_what_is_sent_meanwhile_arrives() {
    let Some(moving) = Moving::start(builder).await else {
        return;
    };
    let home = moving.home();
    let other = at(&moving.cluster, &moving.bob, next(next(home)));
    let mut socket = other.client.websocket("/ws/logs/events").await.unwrap();
    socket.send(Message::Ping("there".into())).await.unwrap();
    while !matches!(socket.next().await, Some(Ok(Message::Pong(_)))) {}
    moving.try_to_move(home, next(home)).await.unwrap();
    let told = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(close)))) => return u16::from(close.code),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let code = tokio::time::timeout(testkit::wait::DEADLINE, told).await;
    assert_eq!(code.unwrap(), 1012);
    let mut again = other.client.websocket("/ws/logs/events").await.unwrap();
    again.send(Message::Ping("again".into())).await.unwrap();
    let large = "x".repeat(60_000);
    moving.write(home, &large).await.unwrap();
    moving.assert_written(&[large]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_has_not_heard_of_it_is_served_all_the_same() {
    let known = || builder().env("HYPERVISOR_STORE_GRACE_SECS", "600");
    let Some(moving) = Moving::start(known).await else {
        return;
    };
    let (home, target) = (moving.home(), next(moving.home()));
    let deaf = next(target);
    moving.write(deaf, "before").await.unwrap();
    moving.cluster.set_store(deaf, Passes::Neither);
    moving.try_to_move(home, target).await.unwrap();
    assert_eq!(moving.home(), target);
    // It asks the old home, which knows better.
    moving.write(deaf, "meanwhile").await.unwrap();
    moving.cluster.set_store(deaf, Passes::Both);
    moving.write(deaf, "after").await.unwrap();
    let all = ["before", "meanwhile", "after"].map(str::to_owned);
    moving.assert_written(&all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_home_that_is_not_well_is_none() {
    let Some(moving) = Moving::start(builder).await else {
        return;
    };
    let (home, target) = (moving.home(), next(moving.home()));
    // Healthy anywhere but there.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("service");
    let sandbox = std::path::Path::new(env!("CARGO_BIN_EXE_hypervisor")).with_file_name("sandbox");
    let there = moving.cluster.gateways[target].state_dir().display();
    let script = format!(
        "#!/bin/sh\ncase $PWD in {there}/*) exit 1;; esac\nexec {}\n",
        sandbox.display()
    );
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let gateway = &moving.cluster.gateways[home];
    let program = program.display().to_string();
    for args in [
        &["release", "add", NAME, "--", &program][..],
        &["promote", NAME, "--no-rehearsal"],
    ] {
        let done = gateway.cli(args).await.unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{args:?}: {said}");
    }
    moving.write(home, "before").await.unwrap();
    let refused = moving.try_to_move(home, target).await.unwrap_err();
    assert!(refused.contains("does not take bob"), "{refused}");
    assert_eq!(moving.home(), home);
    moving.write(target, "after").await.unwrap();
    let all = ["before", "after"].map(str::to_owned);
    moving.assert_written(&all).await;
    moving.assert_settled().await;
    // Another machine takes it, with what it runs; and what was done before is not undone there.
    let other = next(target);
    moving.try_to_move(home, other).await.unwrap();
    moving.assert_written(&all).await;
    let view = moving.cluster.gateways[home].cli(&["releases", NAME, "--json"]);
    let view: Value = serde_json::from_slice(&view.await.unwrap().stdout).unwrap();
    assert!(view.to_string().contains(&program), "{view}");
    let undo = moving.cluster.gateways[home].cli(&["undo", NAME]).await;
    let said = String::from_utf8_lossy(&undo.unwrap().stderr).into_owned();
    assert!(said.contains("replaced by another change"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_runs_something_that_cannot_be_told_stays_and_is_served() {
    let Some(moving) = Moving::start(builder).await else {
        return;
    };
    let (home, target) = (moving.home(), next(moving.home()));
    moving.write(home, "before").await.unwrap();
    let release = moving.release(home, 1);
    let kept = std::fs::read(&release).unwrap();
    for (garbled, told) in [(true, "is no release"), (false, "has no release 1")] {
        if garbled {
            std::fs::write(&release, "garbled").unwrap();
        } else {
            std::fs::remove_file(&release).unwrap();
        }
        let refused = moving.try_to_move(home, target).await.unwrap_err();
        assert!(refused.contains(told), "{refused}");
        assert_eq!(moving.home(), home);
        moving.write(target, told).await.unwrap();
        moving.assert_settled().await;
    }
    std::fs::write(&release, kept).unwrap();
    moving.try_to_move(home, target).await.unwrap();
    assert_eq!(moving.home(), target);
    let all = ["before", "is no release", "has no release 1"].map(str::to_owned);
    moving.assert_written(&all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_cut_for_a_while_delays_it_and_one_that_stays_cut_takes_it_back() {
    let Some(moving) = Moving::start(|| builder().env("HYPERVISOR_RUNTIME_HOLD_SECS", "6")).await
    else {
        return;
    };
    let (home, target) = (moving.home(), next(moving.home()));
    moving.write(home, "before").await.unwrap();
    moving.cluster.set_link(home, target, Passes::Neither);
    let mend = async {
        sleep(Duration::from_secs(2)).await;
        moving.cluster.set_link(home, target, Passes::Both);
    };
    let (moved, ()) = tokio::join!(moving.try_to_move(home, target), mend);
    if moved.is_err() {
        // What is said in the beginning has no second try.
        let retried = async || moving.try_to_move(home, target).await.ok();
        eventually("it to move", retried).await.unwrap();
    }
    assert_eq!(moving.home(), target);
    moving.assert_settled().await;
    let back = next(target);
    moving.cluster.set_link(target, back, Passes::Back);
    let refused = moving.try_to_move(target, back).await.unwrap_err();
    assert!(refused.contains("does not take bob"), "{refused}");
    moving.write(target, "after").await.unwrap();
    moving.cluster.set_link(target, back, Passes::Both);
    moving.assert_settled().await;
    let all = ["before", "after"].map(str::to_owned);
    moving.assert_written(&all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_moved_is_refused_with_what_to_do() {
    let Some(moving) = Moving::start(builder).await else {
        return;
    };
    let home = moving.home();
    let refused = moving.try_to_move(home, home).await.unwrap_err();
    assert!(refused.contains("already"), "{refused}");
    let order = async |args: &[&str]| {
        let done = moving.cluster.gateways[0].cli(args).await.unwrap();
        assert!(!done.status.success(), "{args:?}");
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let said = order(&["move", NAME, "--to", "nowhere"]).await;
    assert!(said.contains("hypervisor machines"), "{said}");
    let said = order(&["move", "nobody", "--to", "b"]).await;
    assert!(said.contains("no workspace nobody"), "{said}");
    let said = order(&["move", "sandbox", "--to", "c"]).await;
    assert!(said.contains("declared"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_several_is_led_to_the_one_that_they_chose_wherever_it_is() {
    let Some(moving) = Moving::start(builder).await else {
        return;
    };
    let gateways = &moving.cluster.gateways;
    let cyd = Person::register_with(moving.cluster.client(2), "cyd").await;
    let cyd = cyd.unwrap();
    let added = gateways[0].cli(&["members", "add", NAME, "cyd"]).await;
    assert!(added.unwrap().status.success());
    moving.write(0, "of bob").await.unwrap();
    crate::event(&cyd.client, "of cyd").await;
    let no_body = serde_json::json!({});
    let choose = async |name: &str| {
        let path = format!("/.choiros/api/workspaces/{name}/choose");
        let chosen = cyd.client.post_json(&path, &no_body).await.unwrap();
        assert!(chosen.status.is_success(), "{}", chosen.text());
    };
    for _ in 0..3 {
        let home = moving.home();
        moving.try_to_move(home, next(home)).await.unwrap();
        for (chosen, told) in [(NAME, "of bob"), ("cyd", "of cyd")] {
            choose(chosen).await;
            for gateway in 0..3 {
                let here = at(&moving.cluster, &cyd, gateway).client;
                let events = here.get("/logs/events").await.unwrap();
                assert!(events.text().contains(told), "{gateway}: {}", events.text());
            }
        }
        choose(NAME).await;
    }
}
