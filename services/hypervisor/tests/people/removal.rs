//! Who is removed is gone, and what was theirs alone is kept.

use crate::common::builder;
use crate::get;
use crate::operator::{act, get as ask, refusal};
use serde_json::json;
use testkit::person::Person;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_removed_is_out_at_once_and_their_workspace_can_be_restored_for_another() {
    let gateway = builder().start().await.unwrap();
    Person::register(&gateway, "first").await.unwrap();
    let ada = Person::register(&gateway, "ada").await.unwrap();
    let bob = Person::register(&gateway, "bob").await.unwrap();
    assert_eq!(ada.client.get("/").await.unwrap().status, 200);
    let remove = json!({ "act": "remove_user", "user_id": ada.user_id });
    let removed = act(&gateway, &remove).await.unwrap();
    assert_eq!(removed["archived"], json!(["ada"]));
    let out = ada.client.get("/auth/me").await.unwrap();
    assert!(
        out.text().contains("\"authenticated\":false"),
        "{}",
        out.text()
    );
    let refused = ada.log_in().await.unwrap_err().to_string();
    assert!(refused.contains("no_account"), "{refused}");
    assert_eq!(refusal(&gateway, remove).await, (404, "not_found".into()));

    let archives = ask(&gateway, "/archives").await;
    assert_eq!(archives[0]["workspace"], "ada");
    assert_eq!(archives[0]["members"], json!(["ada"]));
    let id = &archives[0]["id"];
    let nobody = json!({ "act": "restore_archive", "archive_id": id, "username": "ada" });
    assert_eq!(refusal(&gateway, nobody).await, (404, "not_found".into()));
    let restore = json!({ "act": "restore_archive", "archive_id": id, "username": " BOB" });
    let restored = act(&gateway, &restore).await.unwrap();
    let name = restored["workspace"].as_str().unwrap().to_owned();
    let theirs = get(&bob, "/.choiros/api/workspaces").await;
    let theirs = theirs.as_array().unwrap();
    assert!(theirs.iter().any(|it| it["name"] == *name), "{theirs:?}");
    assert_eq!(refusal(&gateway, restore).await, (404, "no_archive".into()));

    // The name is free for whoever comes next, who is somebody else.
    let again = Person::register(&gateway, "ada").await.unwrap();
    assert_ne!(again.user_id, ada.user_id);
    let mine = get(&again, "/auth/audit").await;
    let events: Vec<_> = mine
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["event"])
        .collect();
    assert_eq!(events, ["registered"], "nothing of the other one's");
}

#[tokio::test]
async fn an_admin_removes_with_a_passkey_and_the_last_one_stays() {
    let gateway = builder().start().await.unwrap();
    let ada = Person::register(&gateway, "ada").await.unwrap();
    let bob = Person::register(&gateway, "bob").await.unwrap();
    let admin = json!({ "act": "set_admin", "user_id": ada.user_id, "admin": true });
    act(&gateway, &admin).await.unwrap();
    let remove = |person: &Person| json!({ "user_id": person.user_id });
    let last = ada.act("remove_user", remove(&ada)).await.unwrap();
    assert_eq!(last.status, 409);
    let by_nobody = bob.act("remove_user", remove(&ada)).await.unwrap();
    assert_eq!(by_nobody.status, 403);
    let removed = ada.act("remove_user", remove(&bob)).await.unwrap();
    assert_eq!(removed.status, 200, "{}", removed.text());
    let log = get(&ada, "/.choiros/api/audit?limit=1").await;
    assert_eq!(log[0]["event"], "user_removed");
    assert_eq!(
        (&log[0]["actor"], &log[0]["user_id"]),
        (&json!("ada"), &json!(bob.user_id))
    );
    assert!(log[0]["passkey"].is_string());
}
