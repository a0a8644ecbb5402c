use super::{Draft, Event, EventLog, LogError};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use tempfile::TempDir;

fn open(dir: &TempDir) -> EventLog {
    EventLog::open(&dir.path().join("events.db")).unwrap()
}

fn draft(kind: &str) -> Draft {
    Draft {
        kind: kind.into(),
        user_id: Some("u1".into()),
        payload: Some(json!({"n": [1, 2.5, "three"]})),
    }
}

fn ids(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn events_come_back_as_they_were_appended() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir);
    assert_eq!(log.newest(), 0);
    let one = log.append(draft("one")).await.unwrap();
    let bare = Draft {
        payload: None,
        user_id: None,
        ..draft("two")
    };
    let two = log.append(bare).await.unwrap();
    assert_eq!(log.after(0, 10).await.unwrap(), [one, two.clone()]);
    assert_eq!(log.after(1, 10).await.unwrap(), [two]);
    assert_eq!(ids(&log.after(0, 1).await.unwrap()), [1]);
    assert_eq!(log.newest(), 2);
}

#[tokio::test]
async fn a_closed_log_has_everything_and_takes_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir);
    for _ in 0..3 {
        log.append(draft("kept")).await.unwrap();
    }
    log.close().await;
    let refused = log.append(draft("late")).await;
    assert!(matches!(refused, Err(LogError::Closed)));
    let wal = std::fs::metadata(dir.path().join("events.db-wal")).unwrap();
    assert_eq!(wal.len(), 0, "the checkpoint left nothing behind");
    drop(log);
    let log = open(&dir);
    assert_eq!(log.newest(), 3);
    assert_eq!(log.append(draft("next")).await.unwrap().id, 4);
}

#[tokio::test]
async fn a_follower_sees_each_event_once_and_in_order_across_replay_and_live() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir);
    let append = async |count: usize| {
        for _ in 0..count {
            log.append(draft("event")).await.unwrap();
        }
    };
    append(50).await;
    let followed = log.follow(10).take(440).try_collect::<Vec<_>>();
    let (followed, ..) = tokio::join!(followed, append(100), append(150), append(150));
    assert_eq!(ids(&followed.unwrap()), (11..=450).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_follower_ends_with_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir);
    log.append(draft("only")).await.unwrap();
    let follower = log.follow(0);
    log.close().await;
    assert_eq!(follower.try_collect::<Vec<_>>().await.unwrap().len(), 1);
}

#[tokio::test]
async fn large_events_make_smaller_pages() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir);
    for _ in 0..40 {
        let payload = Some(json!("x".repeat(60_000)));
        log.append(Draft {
            payload,
            ..draft("large")
        })
        .await
        .unwrap();
    }
    let page = log.after(0, 1000).await.unwrap();
    assert!((1..40).contains(&page.len()), "{} events", page.len());
    let all: Vec<_> = log.follow(0).take(40).try_collect().await.unwrap();
    assert_eq!(ids(&all), (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_file_itself_refuses_change_and_removal() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir);
    log.append(draft("kept")).await.unwrap();
    let other = rusqlite::Connection::open(dir.path().join("events.db")).unwrap();
    for statement in ["DELETE FROM events", "UPDATE events SET kind = 'x'"] {
        let error = other.execute(statement, []).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

#[test]
fn foreign_and_newer_files_are_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.db");
    std::fs::write(
        &path,
        "not a database, but longer than a header is ".repeat(9),
    )
    .unwrap();
    let error = EventLog::open(&path).unwrap_err().to_string();
    assert!(error.contains("not a database"), "{error}");

    std::fs::remove_file(&path).unwrap();
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 2).unwrap();
    let error = EventLog::open(&path).unwrap_err().to_string();
    assert!(error.contains("has version 2"), "{error}");
}
