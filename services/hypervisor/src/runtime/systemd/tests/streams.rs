//! Volumes that go to another machine by way of a unit.

use super::host::Host;
use crate::runtime::{Received, RuntimeError, SendPass, Sent, SnapshotId};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

const ID: &str = "20260131T235959Z-1f2e";

fn id() -> SnapshotId {
    ID.parse().unwrap()
}

/// A host whose unit says what it hears, and more, and this in the end.
async fn echoing(said: &'static str) -> Host {
    let host = Host::with_orders("inactive").await;
    let (results, streams) = (host.results(), host.streams());
    fs::create_dir_all(&streams).unwrap();
    fs::create_dir_all(&results).unwrap();
    host.on_order(move |unit| {
        let order = unit.strip_prefix("choiros-volume-sandbox-live@");
        let order = order.and_then(|it| it.strip_suffix(".service")).unwrap();
        let mut stream = UnixStream::connect(streams.join(ID))?;
        let mut heard = [0; 5];
        stream.read_exact(&mut heard)?;
        stream.write_all(&heard)?;
        stream.write_all(&vec![b'.'; 1 << 20])?;
        fs::write(results.join("new"), said)?;
        fs::rename(results.join("new"), results.join(format!("{order}.json")))
    });
    host
}

/// The other machine: says so much, and hears as much as there is.
fn other(mut stream: UnixStream) -> JoinHandle<io::Result<usize>> {
    thread::spawn(move || {
        stream.write_all(b"hello")?;
        stream.shutdown(Shutdown::Write)?;
        stream.read_to_end(&mut Vec::new())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_takes_a_stream_and_all_that_it_says_arrives() {
    let host = echoing(r#"{"ok":{"files":1,"read":2,"sent":3}}"#).await;
    let sandbox = host.sandbox();
    for (pass, order) in [(SendPass::Ahead, "send"), (SendPass::Last, "send-last")] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let other = other(theirs);
        let sent = sandbox.send(&id(), pass, ours).await.unwrap();
        let (files, read) = (1, 2);
        assert_eq!(
            sent,
            Sent {
                files,
                read,
                sent: 3
            }
        );
        assert_eq!(other.join().unwrap().unwrap(), 5 + (1 << 20));
        let unit = format!("start choiros-volume-sandbox-live@{order}:{ID}.service");
        assert_eq!(host.calls().last().unwrap(), &unit);
    }
    assert_eq!(fs::read_dir(host.streams()).unwrap().count(), 0);

    let host = echoing(r#"{"ok":{"files":1,"received":2,"whole":true}}"#).await;
    let (ours, theirs) = UnixStream::pair().unwrap();
    let other = other(theirs);
    let received = host.sandbox().receive(&id(), ours).await.unwrap();
    let expected = Received {
        files: 1,
        received: 2,
        whole: true,
    };
    assert_eq!(received, expected);
    assert_eq!(other.join().unwrap().unwrap(), 5 + (1 << 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_does_not_come_keeps_nobody_waiting() {
    let host = Host::with_orders("inactive").await;
    fs::create_dir_all(host.streams()).unwrap();
    host.on_order(|_| Err(io::Error::other("it is not there")));
    let (ours, theirs) = UnixStream::pair().unwrap();
    let other = other(theirs);
    let refused = host.sandbox().receive(&id(), ours).await.unwrap_err();
    assert!(refused.to_string().contains("journalctl"), "{refused}");
    // However it ends there: it ends.
    let _ = other.join().unwrap();
    assert_eq!(fs::read_dir(host.streams()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_host_without_the_folder_sends_nothing() {
    let host = Host::new("inactive").await;
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let refused = host.sandbox().receive(&id(), ours).await.unwrap_err();
    assert!(matches!(refused, RuntimeError::Unsupported(_)), "{refused}");
    assert!(refused.to_string().contains("runtime.streams_dir"));
    assert!(host.calls().is_empty());
}

#[tokio::test]
async fn what_runs_is_sent_ahead_and_no_more() {
    let host = echoing(r#"{"ok":{"files":1,"read":2,"sent":3}}"#).await;
    let sandbox = host.sandbox();
    sandbox.ready().await.unwrap();
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let refused = sandbox.send(&id(), SendPass::Last, ours).await.unwrap_err();
    assert!(refused.to_string().contains("stop it first"), "{refused}");
    assert_eq!(host.calls(), ["start"]);
}
