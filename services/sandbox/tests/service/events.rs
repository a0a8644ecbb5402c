use crate::{Sandbox, ids, kinds, post};
use anyhow::Result;
use axum::http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_posted_event_is_kept_with_its_caller() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let response = sandbox
        .client
        .request(Method::POST, "/logs/events")
        .header("x-choiros-user-id", "8f14e45f")
        .json(&json!({"kind": "note", "payload": {"text": "hello", "user_id": "someone else"}}))?
        .send()
        .await?;
    assert_eq!(response.status, 201);
    let event: Value = response.json()?;
    assert_eq!(event["id"], 2);
    assert_eq!(event["user_id"], "8f14e45f");
    assert_eq!(event["payload"]["text"], "hello");
    assert!(event["at"].as_str().is_some_and(|at| at.ends_with('Z')));
    let bare = sandbox.post("bare", Value::Null).await?;
    assert_eq!(
        (&bare["user_id"], &bare["payload"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(sandbox.log().await?[1..], [event, bare]);
    Ok(())
}

#[tokio::test]
async fn the_list_is_read_page_by_page() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    for n in 0..5 {
        sandbox.post("note", json!(n)).await?;
    }
    let page = async |query| -> Result<Vec<i64>> {
        let response = sandbox.client.get(&format!("/logs/events{query}")).await?;
        Ok(ids(&response.json::<Vec<Value>>()?))
    };
    assert_eq!(page("").await?, [1, 2, 3, 4, 5, 6]);
    assert_eq!(page("?limit=2").await?, [1, 2]);
    assert_eq!(page("?after=2&limit=3").await?, [3, 4, 5]);
    assert!(page("?after=6").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_refused_event_leaves_the_log_as_it_was_and_names_the_mend() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let json = "application/json";
    let large = json!({"kind": "note", "payload": "x".repeat(70_000)}).to_string();
    let deep = format!(
        "{{\"kind\":\"note\",\"payload\":{}1{}}}",
        "[".repeat(500),
        "]".repeat(500)
    );
    let long_kind = json!({"kind": "k".repeat(65)}).to_string();
    let cases = [
        (json, "", 400, "invalid_event"),
        (json, "{", 400, "invalid_event"),
        (json, "{\"kind\":\"note\"} trailing", 400, "invalid_event"),
        (json, "[]", 422, "invalid_event"),
        (json, "{}", 422, "invalid_event"),
        (json, "{\"kind\":7}", 422, "invalid_event"),
        (json, "{\"kind\":\"note\",\"id\":9}", 422, "invalid_event"),
        (json, deep.as_str(), 400, "invalid_event"),
        (json, large.as_str(), 413, "event_too_large"),
        ("text/plain", "{\"kind\":\"note\"}", 415, "not_json"),
        (json, "{\"kind\":\"\"}", 422, "invalid_kind"),
        (json, "{\"kind\":\"two words\"}", 422, "invalid_kind"),
        (json, long_kind.as_str(), 422, "invalid_kind"),
        (json, "{\"kind\":\"system.startup\"}", 422, "invalid_kind"),
    ];
    for (media, body, status, code) in cases {
        let request = sandbox.client.request(Method::POST, "/logs/events");
        let response = request
            .header("content-type", media)
            .body(body.to_owned())
            .send()
            .await?;
        let said: Value = response.json()?;
        let shown: String = body.chars().take(60).collect();
        assert_eq!(response.status, status, "{shown}: {said}");
        assert_eq!(said["error"], code, "{shown}: {said}");
        assert!(
            said["message"]
                .as_str()
                .is_some_and(|message| message.len() > 20)
        );
    }
    assert_eq!(kinds(&sandbox.log().await?), ["system.startup"]);
    Ok(())
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    for query in ["after=x", "limit=0", "limit=1001", "limit=-1", "from=3"] {
        let response = sandbox.client.get(&format!("/logs/events?{query}")).await?;
        assert_eq!(response.status, 400, "{query}");
        assert_eq!(
            response.json::<Value>()?["error"],
            "invalid_query",
            "{query}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn unknown_paths_and_methods_get_an_error_that_says_what_there_is() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let response = sandbox.client.get("/nothing").await?;
    assert_eq!(response.status, 404);
    assert_eq!(response.json::<Value>()?["error"], "not_found");
    let response = sandbox.client.delete("/logs/events").await?;
    assert_eq!(response.status, 405);
    assert_eq!(response.header("allow"), Some("GET,HEAD,POST"));
    assert_eq!(response.json::<Value>()?["error"], "method_not_allowed");
    Ok(())
}

#[tokio::test]
async fn a_killed_sandbox_has_every_event_that_it_acknowledged() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let posters = (0..4).map(|poster| {
        let client = sandbox.client.clone();
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            while let Ok(event) = post(&client, "note", json!(poster)).await {
                acknowledged.push(event);
            }
            acknowledged
        })
    });
    let posters: Vec<_> = posters.collect();
    // In the middle of their work, wherever that is.
    while sandbox
        .client
        .get("/logs/events?after=100&limit=1")
        .await?
        .text()
        == "[]"
    {}
    let sandbox = sandbox.crash_and_restart().await?;
    let mut log: Vec<Value> = Vec::new();
    loop {
        let after = ids(&log).last().copied().unwrap_or(0);
        let path = format!("/logs/events?limit=1000&after={after}");
        let page: Vec<Value> = sandbox.client.get(&path).await?.json()?;
        if page.is_empty() {
            break;
        }
        log.extend(page);
    }
    let mut acknowledged = 0;
    for poster in posters {
        for event in poster.await? {
            assert!(log.contains(&event), "{event} is lost");
            acknowledged += 1;
        }
    }
    assert!(acknowledged >= 90, "{acknowledged}");
    assert_eq!(
        log.last().map(|event| &event["kind"]),
        Some(&json!("system.startup"))
    );
    Ok(())
}
