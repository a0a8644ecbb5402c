use crate::{Sandbox, ids, post};
use anyhow::{Context, Result, bail};
use axum::http::Method;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use testkit::client::WebSocket;
use testkit::sse;
use tokio_tungstenite::tungstenite::Message;

/// The next event of a stream.
async fn next(stream: &mut sse::Stream) -> Result<Value> {
    let event = stream.next().await?.context("the stream ended")?;
    let value: Value = event.json()?;
    assert_eq!(event.id, Some(value["id"].to_string()));
    Ok(value)
}

/// The next event of a socket; pings are let pass.
async fn heard(socket: &mut WebSocket) -> Result<Value> {
    loop {
        match socket.next().await.context("the socket ended")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_stream_says_first_which_sandbox_answers_in_which_role() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let response = sandbox
        .client
        .request(Method::GET, "/logs/events")
        .header("accept", "text/event-stream")
        .header("x-choiros-role", "dev")
        .header("x-choiros-generation", "4")
        .send_streaming()
        .await?;
    let mut stream = sse::Stream::new(response.into_body());
    let hello = stream.next().await?.context("no event")?;
    assert_eq!(hello.event.as_deref(), Some("sandbox"));
    assert_eq!(hello.id, None, "it is no event of the log");
    let hello: Value = hello.json()?;
    assert_eq!(hello["name"], "sandbox-live");
    assert_eq!(
        (&hello["instance_role"], &hello["role"]),
        (&json!("live"), &json!("dev"))
    );
    assert_eq!(hello["generation"], 4);
    Ok(())
}

#[tokio::test]
async fn events_reach_a_stream_one_by_one_while_it_is_open() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let mut stream = sandbox.client.events("/logs/events", None).await?;
    stream.next().await?.context("who answers")?;
    assert_eq!(next(&mut stream).await?["kind"], "system.startup");
    for n in 0..20 {
        let posted = sandbox.post("note", json!({ "n": n })).await?;
        assert_eq!(next(&mut stream).await?, posted);
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_that_its_reader_saw() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    for n in 0..5 {
        sandbox.post("note", json!(n)).await?;
    }
    // The header wins: a browser that comes again repeats the address of its first visit.
    let cases = [
        ("?after=3", None, 4),
        ("", Some("4"), 5),
        ("?after=1", Some("5"), 6),
    ];
    for (query, last, first) in cases {
        let path = format!("/logs/events{query}");
        let mut stream = sandbox.client.events(&path, last).await?;
        stream.next().await?.context("who answers")?;
        assert_eq!(next(&mut stream).await?["id"], first, "{query} {last:?}");
    }
    let response = sandbox
        .client
        .request(Method::GET, "/logs/events")
        .header("accept", "text/event-stream")
        .header("last-event-id", "first")
        .send()
        .await?;
    assert_eq!(response.status, 400);
    Ok(())
}

#[tokio::test]
async fn a_socket_replays_and_goes_on_live() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let posted = sandbox.post("note", json!("before")).await?;
    let mut socket = sandbox.client.websocket("/ws/logs/events?after=1").await?;
    assert_eq!(heard(&mut socket).await?, posted);
    for n in 0..20 {
        let posted = sandbox.post("note", json!(n)).await?;
        assert_eq!(heard(&mut socket).await?, posted);
    }
    Ok(())
}

#[tokio::test]
async fn a_socket_answers_pings_and_bears_chatter() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let mut socket = sandbox.client.websocket("/ws/logs/events?after=1").await?;
    socket.send(Message::text("hello?")).await?;
    socket.send(Message::Ping("ping".into())).await?;
    let pong = socket.next().await.context("the socket ended")??;
    assert_eq!(pong, Message::Pong("ping".into()));
    sandbox.post("note", json!(1)).await?;
    assert_eq!(heard(&mut socket).await?["payload"], 1);
    socket.close(None).await?;
    while socket.next().await.transpose()?.is_some() {}
    Ok(())
}

#[tokio::test]
async fn a_socket_path_asked_without_an_upgrade_says_what_it_wants() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let response = sandbox.client.get("/ws/logs/events").await?;
    assert_eq!(response.status, 400);
    assert_eq!(response.json::<Value>()?["error"], "websocket_required");
    assert!(
        sandbox
            .client
            .websocket("/ws/logs/events?after=x")
            .await
            .is_err()
    );
    Ok(())
}

#[tokio::test]
async fn every_follower_sees_concurrent_posts_in_one_order_without_gap_or_double() -> Result<()> {
    const EACH: i64 = 40;
    const ALL: i64 = 1 + 6 * EACH;
    let sandbox = Sandbox::start().await?;
    let posters = (0..6).map(|poster| {
        let client = sandbox.client.clone();
        tokio::spawn(async move {
            for n in 0..EACH {
                post(&client, "note", json!([poster, n])).await.unwrap();
            }
        })
    });
    let posters: Vec<_> = posters.collect();
    // They come at some point while events are written.
    let followers = (0..8).map(|follower| {
        let client = sandbox.client.clone();
        tokio::spawn(async move {
            let mut events = Vec::new();
            if follower % 2 == 0 {
                let mut stream = client.events("/logs/events", None).await.unwrap();
                stream.next().await.unwrap();
                for _ in 0..ALL {
                    events.push(next(&mut stream).await.unwrap());
                }
            } else {
                let mut socket = client.websocket("/ws/logs/events").await.unwrap();
                for _ in 0..ALL {
                    events.push(heard(&mut socket).await.unwrap());
                }
            }
            events
        })
    });
    let followers: Vec<_> = followers.collect();
    for poster in posters {
        poster.await?;
    }
    let log = sandbox.log().await?;
    assert_eq!(ids(&log), (1..=ALL).collect::<Vec<_>>());
    for follower in followers {
        assert_eq!(follower.await?, log);
    }
    // Each poster's own events are in the order in which it posted them.
    for poster in 0..6 {
        let own = log.iter().filter(|event| event["payload"][0] == poster);
        let own: Vec<_> = own
            .filter_map(|event| event["payload"][1].as_i64())
            .collect();
        assert_eq!(own, (0..EACH).collect::<Vec<_>>());
    }
    Ok(())
}
