//! Sandboxes without their seal.

use super::bench::{Bench, until, until_status};
use hypervisor::runtime::{RuntimeError, Status};
use std::fs;

fn why(error: &RuntimeError) -> &str {
    match error {
        RuntimeError::Unsealed { cause, .. } => cause,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn none_is_started_without_it_and_each_again_with_it() {
    let bench = Bench::with(|config| {
        config.runtime.seal_file = Some(config.runtime.data_dir.join("state"));
    });
    let file = bench.dir.path().join("state");
    let sandbox = bench.sandbox("one", &[]);
    for said in [None, Some("the table is gone\n")] {
        if let Some(said) = said {
            fs::write(&file, said).unwrap();
        }
        let (request, person) = (sandbox.ready().await, sandbox.start().await);
        for refused in [request.unwrap_err(), person.unwrap_err()] {
            let why = why(&refused);
            assert!(why.contains(said.unwrap_or("nothing says").trim()), "{why}");
        }
    }
    assert!(bench.starts("one").is_empty());
    fs::write(&file, "sealed\n").unwrap();
    sandbox.ready().await.unwrap();
    assert_eq!(bench.starts("one").len(), 1);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn one_that_crashes_without_it_is_not_started_again() {
    let bench = Bench::with(|config| {
        config.runtime.seal_file = Some(config.runtime.data_dir.join("state"));
    });
    let file = bench.dir.path().join("state");
    fs::write(&file, "sealed\n").unwrap();
    let sandbox = bench.sandbox("one", &[]);
    sandbox.ready().await.unwrap();
    fs::write(&file, "the table is gone\n").unwrap();
    super::process::kill(bench.starts("one")[0]);
    until_status(&sandbox, Status::Failed).await;
    let cause = sandbox.view().cause.unwrap();
    assert!(cause.contains("the table is gone"), "{cause}");
    fs::write(&file, "sealed\n").unwrap();
    sandbox.start().await.unwrap();
    until("one start more", || bench.starts("one").len() == 2).await;
    bench.runtime.shutdown().await;
}
