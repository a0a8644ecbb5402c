//! What a token may do, and what is refused to one that is to be made.

use super::{House, SCOPES, create, error, refused, token};
use http::Method;
use serde_json::{Value, json};
use testkit::client::Response;

/// Each act, and the scope that it takes; without one, no token is good for it.
const ACTS: &[(&str, Option<&str>)] = &[
    ("add_passkey", None),
    ("rename_passkey", None),
    ("remove_passkey", None),
    ("renew_recovery_codes", None),
    ("end_session", None),
    ("end_other_sessions", None),
    ("create_token", None),
    ("revoke_token", None),
    ("set_access", None),
    ("swap", Some("sandboxes:promote")),
    ("promote", Some("sandboxes:promote")),
    ("undo", Some("sandboxes:promote")),
    ("fork", Some("sandboxes:promote")),
    ("restore", Some("sandboxes:promote")),
    ("invite", Some("admin")),
    ("revoke_invite", Some("admin")),
    ("disable_user", Some("admin")),
    ("enable_user", Some("admin")),
    ("rename_user", Some("admin")),
    ("set_admin", Some("admin")),
    ("remove_user", Some("admin")),
    ("end_user_sessions", Some("admin")),
    ("recovery_link", Some("admin")),
    ("add_member", Some("admin")),
    ("remove_member", Some("admin")),
    ("restore_archive", Some("admin")),
    ("delete_archive", Some("admin")),
];

/// An act of that name, with whatever it takes.
fn order(name: &str, user: &str) -> Value {
    let nobody = "00000000-0000-4000-8000-000000000000";
    let mut order = match name {
        "add_passkey" => json!({ "name": "x" }),
        "rename_passkey" => json!({ "passkey_id": nobody, "name": "x" }),
        "remove_passkey" => json!({ "passkey_id": nobody }),
        "end_session" => json!({ "session_id": nobody }),
        "create_token" => json!({ "name": "x", "scopes": ["sandbox:open"], "days": 1 }),
        "revoke_token" => json!({ "token_id": nobody }),
        "set_access" => json!({ "user_id": user, "role": "live", "access": "public" }),
        "swap" | "promote" | "undo" | "fork" => json!({ "user_id": user }),
        "restore" => json!({ "user_id": user, "role": "dev", "snapshot": "20260101T000000Z-0001" }),
        "revoke_invite" => json!({ "invite_id": nobody }),
        "rename_user" => json!({ "user_id": nobody, "username": "x" }),
        "set_admin" => json!({ "user_id": nobody, "admin": true }),
        "disable_user" | "enable_user" | "remove_user" | "end_user_sessions" | "recovery_link" => {
            json!({ "user_id": nobody })
        }
        "add_member" => json!({ "workspace": "none", "username": "x" }),
        "restore_archive" => json!({ "archive_id": "20260101T000000Z-0001", "username": "x" }),
        "delete_archive" => json!({ "archive_id": "20260101T000000Z-0001" }),
        "remove_member" => json!({ "workspace": "none", "user_id": nobody }),
        _ => json!({}),
    };
    order["act"] = name.into();
    order
}

impl House {
    async fn act(&self, token: &str, order: &Value) -> Response {
        let request = self.ask(token, Method::POST, "/api/acts");
        request.json(order).unwrap().send().await.unwrap()
    }
}

#[tokio::test]
async fn each_act_takes_its_scope_and_no_other() {
    let house = House::new().await;
    let document = super::document::document(&house).await;
    let described = &document["components"]["schemas"]["Act"]["oneOf"];
    let described = described.as_array().unwrap().iter();
    for act in described {
        let name = &act["properties"]["act"]["enum"][0];
        assert!(
            ACTS.iter().any(|(act, _)| name == act),
            "{name}: say what it takes"
        );
    }
    for scope in SCOPES {
        let token = token(&house.root, &[scope]).await;
        for (act, takes) in ACTS {
            let response = house.act(&token, &order(act, &house.ada.user_id)).await;
            let (status, code) = if response.status.is_success() {
                (200, String::new())
            } else {
                error(&response)
            };
            match takes {
                None => assert_eq!((status, &*code), (403, "no_tokens"), "{act}"),
                Some(takes) if *takes != scope => {
                    assert_eq!((status, &*code), (403, "insufficient_scope"), "{act}");
                }
                Some(_) => assert!(
                    !matches!(&*code, "no_tokens" | "insufficient_scope" | "bad_request"),
                    "{act} with {scope}: {status} {code}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_members_token_steers_their_workspace_at_once_and_the_log_says_so() {
    let house = House::new().await;
    let promote = token(&house.ada, &["sandboxes:promote"]).await;
    let swap = json!({ "act": "swap", "user_id": house.ada.user_id });
    let swapped = house.act(&promote, &swap).await;
    assert_eq!(swapped.status, 200, "{}", swapped.text());
    let bobs = json!({ "act": "swap", "user_id": house.bob.user_id });
    let (status, _) = error(&house.act(&promote, &bobs).await);
    assert_eq!(status, 403, "not theirs");
    let log = house.ada.client.get("/auth/audit").await.unwrap();
    let log: Vec<Value> = log.json().unwrap();
    let swapped = log.iter().find(|row| row["event"] == "swapped").unwrap();
    assert_eq!(swapped["actor"], "ada by the token a program");
    assert_eq!(swapped["passkey"], Value::Null);
    let created = log.iter().find(|row| row["event"] == "token_created");
    assert_eq!(created.unwrap()["actor"], "ada");
}

#[tokio::test]
async fn a_token_of_one_workspace_steers_no_other() {
    let house = House::new().await;
    let (bound, _) = create(&house.ada, &["sandboxes:promote"], Some("sandbox")).await;
    let swap = json!({ "act": "swap", "workspace": "sandbox" });
    assert_eq!(house.act(&bound, &swap).await.status, 200);
    let other = json!({ "act": "swap", "workspace": "other" });
    assert_eq!(house.act(&bound, &other).await.status, 403);
}

#[tokio::test]
async fn what_is_no_token_to_be_is_refused_before_a_passkey_is_asked_for() {
    let house = House::new().await;
    let good = json!({ "name": "x", "scopes": ["sandbox:open"], "days": 1 });
    for (change, status, code) in [
        (json!({ "days": 0 }), 422, "invalid_days"),
        (json!({ "days": 366 }), 422, "invalid_days"),
        (json!({ "name": "" }), 422, "invalid_name"),
        (json!({ "name": "a\u{202e}b" }), 422, "invalid_name"),
        (json!({ "name": "a".repeat(65) }), 422, "invalid_name"),
        (json!({ "scopes": [] }), 422, "invalid_scopes"),
        (json!({ "scopes": ["root"] }), 400, "bad_request"),
        (json!({ "scopes": ["admin"] }), 403, "admin_only"),
        (json!({ "workspace": "other" }), 403, "not_yours"),
        (json!({ "workspace": "none" }), 403, "not_yours"),
        (json!({ "x": 1 }), 400, "bad_request"),
    ] {
        let mut order = good.clone();
        for (key, value) in change.as_object().unwrap() {
            order[key] = value.clone();
        }
        let response = house.ada.act("create_token", order).await.unwrap();
        assert_eq!(error(&response), (status, code.to_owned()), "{change}");
    }
    let bound = json!({ "name": "x", "scopes": ["admin"], "days": 1, "workspace": "sandbox" });
    let response = house.root.act("create_token", bound).await.unwrap();
    refused(&response, 422, "invalid_scopes");
}
