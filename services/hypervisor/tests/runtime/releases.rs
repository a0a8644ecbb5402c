//! Releases of processes, and which of them each start runs.

use super::bench::{Bench, claim, config, get, open, spec, until, until_status};
use super::fixture;
use super::process::kill;
use hypervisor::runtime::{Runtime, RuntimeError, Status};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// The fixture says what this variable has.
const WORD: &str = "FIXTURE_WORD";

async fn add(runtime: &Runtime, word: &str) -> u64 {
    let env = BTreeMap::from([(WORD.to_owned(), word.to_owned())]);
    let command = fixture::command("a_sandbox");
    let added = runtime.add_release("w", command, env, "ada").await;
    added.unwrap().number
}

fn says(bench: &Bench, word: &str) -> bool {
    bench.read("one", "word") == word
}

#[tokio::test]
async fn the_config_declares_the_first_release_and_each_change_of_it_is_another() {
    let dir = TempDir::new().unwrap();
    let mut config = config(dir.path());
    let first = open(&config);
    assert!(first.releases("w").await.unwrap().is_empty());
    for _ in 0..2 {
        assert_eq!(first.declared_release("w").await.unwrap(), 1);
    }
    assert_eq!(add(&first, "two").await, 2);
    assert_eq!(add(&first, "two").await, 2, "the newest is the same");
    // One by hand is newer, and not what the config declares.
    assert_eq!(open(&config).declared_release("w").await.unwrap(), 1);
    config.runtime.command.push("another word".to_owned());
    let second = open(&config);
    assert_eq!(second.declared_release("w").await.unwrap(), 3);
    assert_eq!(second.declared_release("w").await.unwrap(), 3);
    assert_eq!(second.declared_release("another").await.unwrap(), 1);

    let all = second.releases("w").await.unwrap();
    let told: Vec<_> = all.iter().map(|it| (it.number, &*it.added_by)).collect();
    let config = "runtime.command";
    assert_eq!(told, [(1, config), (2, "ada"), (3, config)]);
    assert!(all[1].what.starts_with("FIXTURE_WORD=… /"), "{all:?}");
    assert!(all[2].what.ends_with(" 'another word'"), "{all:?}");
    let added: Vec<_> = all.iter().map(|it| it.added_at.unwrap()).collect();
    assert!(added.is_sorted());
}

#[tokio::test]
async fn what_a_release_keeps_is_its_owners_alone_and_its_secrets_are_told_to_nobody() {
    let bench = Bench::new();
    add(&bench.runtime, "secret").await;
    let folder = bench.dir.path().join("w/.releases");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("1.json")), 0o600);
    let all = bench.runtime.releases("w").await.unwrap();
    assert!(!format!("{all:?}").contains("secret"), "{all:?}");

    // Neither does whoever cannot read it quote what is there.
    fs::write(folder.join("1.json"), r#"{"env": "secret"}"#).unwrap();
    let error = bench.runtime.releases("w").await.unwrap_err().to_string();
    assert!(
        error.contains("1.json") && !error.contains("secret"),
        "{error}"
    );
}

#[tokio::test]
async fn every_start_runs_the_release_that_was_set_last() {
    let bench = Bench::with(|config| config.runtime.idle_secs = 1);
    let sandbox = bench.sandbox("one", &[]);
    sandbox.set_idle_stop(false);
    let (old, new) = (
        add(&bench.runtime, "old").await,
        add(&bench.runtime, "new").await,
    );
    sandbox.set_release(old);
    sandbox.ready().await.unwrap();
    assert!(says(&bench, "old"));
    assert_eq!(bench.read("one", "release"), "1");

    // One that is newer, and one that is set, change nothing of what runs.
    sandbox.set_release(new);
    let address = claim(&sandbox).await.address();
    get(address).unwrap();
    assert!(says(&bench, "old"));
    assert_eq!(bench.starts("one").len(), 1);

    kill(bench.starts("one")[0]);
    until("a second start", || bench.starts("one").len() == 2).await;
    until_status(&sandbox, Status::Running).await;
    assert!(says(&bench, "new"), "a crash");

    sandbox.set_release(old);
    sandbox.set_idle_stop(true);
    until_status(&sandbox, Status::Stopped).await;
    sandbox.set_idle_stop(false);
    sandbox.ready().await.unwrap();
    assert!(says(&bench, "old"), "an idle stop, and a request");

    sandbox.set_release(new);
    sandbox.stop().await.unwrap();
    sandbox.start().await.unwrap();
    assert!(says(&bench, "new"), "a stop, and a start");
    bench.runtime.shutdown().await;

    // A hypervisor that begins anew knows them all.
    let again = open(&config(bench.dir.path()));
    let sandbox = again.sandbox(spec("one"));
    sandbox.set_release(old);
    sandbox.ready().await.unwrap();
    assert!(says(&bench, "old"), "a restart of the hypervisor");
    again.shutdown().await;
}

#[tokio::test]
async fn a_release_that_is_not_there_is_not_replaced_by_another() {
    let bench = Bench::with(|config| config.runtime.max_restarts = 1);
    let sandbox = bench.sandbox("one", &[]);
    bench.runtime.declared_release("w").await.unwrap();
    sandbox.set_release(7);
    let error = sandbox.start().await.unwrap_err().to_string();
    assert!(error.contains("no release 7"), "{error}");
    assert!(error.contains("`hypervisor releases w`"), "{error}");
    assert!(bench.starts("one").is_empty());
}

#[tokio::test]
async fn what_could_not_run_is_no_release() {
    let bench = Bench::new();
    let own = fixture::command("a_sandbox")[0].clone();
    let mut refused = vec![
        (vec!["./sandbox".into()], None, "whole path"),
        (vec!["/no/such/program".into()], None, "no program at"),
        (vec!["/".into()], None, "no program at"),
        (vec![String::new()], None, "no name"),
        (vec![own.clone(), "a\0b".into()], None, "NUL"),
        (vec![], Some(("A=B", "c")), "NAME=VALUE"),
        (vec![], Some(("", "c")), "NAME=VALUE"),
        (vec![], Some(("A B", "c")), "NAME=VALUE"),
        (vec![], Some(("A", "a\0b")), "NUL"),
    ];
    let platform = [
        "PATH",
        "PORT",
        "DATA_DIR",
        "SANDBOX_DATA_DIR",
        "SANDBOX_NAME",
        "SANDBOX_INSTANCE_ROLE",
        "SANDBOX_LISTEN",
        "SANDBOX_RELEASE",
    ];
    refused.extend(platform.map(|name| (vec![], Some((name, "x")), name)));
    for (command, variable, hint) in refused {
        let env = variable.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let env: BTreeMap<_, _> = env.into_iter().collect();
        let added = bench.runtime.add_release("w", command, env, "ada").await;
        let error = added.unwrap_err();
        assert!(
            matches!(error, RuntimeError::InvalidRelease(_)),
            "{error:?}"
        );
        assert!(error.to_string().contains(hint), "no «{hint}» in: {error}");
    }
    assert!(bench.runtime.releases("w").await.unwrap().is_empty());
    let outside = bench.runtime.declared_release("../elsewhere").await;
    assert!(outside.is_err());
}

#[tokio::test]
async fn a_program_that_somebody_added_need_not_name_itself_and_a_declared_one_does() {
    let bench = Bench::with(|config| config.runtime.start_secs = 2);
    let sandbox = bench.sandbox("one", &["anonymous"]);
    sandbox.set_release(bench.runtime.declared_release("w").await.unwrap());
    let error = sandbox.ready().await.unwrap_err().to_string();
    assert!(error.contains("identity = false"), "{error}");
    sandbox.stop().await.unwrap();

    sandbox.set_release(add(&bench.runtime, "of somebody's own").await);
    sandbox.start().await.unwrap();
    sandbox.probe().await.unwrap();

    let sandbox = bench.sandbox("two", &["named=mallory"]);
    sandbox.set_release(add(&bench.runtime, "which says that it is another").await);
    let error = sandbox.ready().await.unwrap_err().to_string();
    assert!(error.contains("answers as sandbox `mallory`"), "{error}");
    bench.runtime.shutdown().await;
}
