//! `hypervisor archives`: what is left of those who were removed.

use crate::common::gateway;
use crate::{json, refusal};
use serde_json::json;
use testkit::person::Person;

#[tokio::test]
async fn the_workspace_of_a_removed_person_is_restored_or_deleted() {
    let gateway = gateway().await;
    for name in ["ada", "bob", "eve"] {
        Person::register(&gateway, name).await.unwrap();
    }
    assert_eq!(json(&gateway, &["archives"]).await, json!([]));
    for name in ["bob", "eve"] {
        let removed = json(&gateway, &["users", "remove", name, "--yes"]).await;
        assert_eq!(
            removed["archived"].as_array().unwrap().len(),
            1,
            "{removed}"
        );
    }
    let rows = json(&gateway, &["archives", "list"]).await;
    let id = |member: &str| {
        let mut rows = rows.as_array().unwrap().iter();
        let row = rows.find(|row| row["members"] == json!([member])).unwrap();
        row["id"].as_str().unwrap().to_owned()
    };
    let (bobs, eves) = (id("bob"), id("eve"));
    let restored = json(&gateway, &["archives", "restore", &bobs, "ada"]).await;
    let workspace = restored["workspace"].as_str().unwrap();
    let members = json(&gateway, &["members", "list", workspace]).await;
    assert_eq!(members[0]["username"], "ada", "{members}");

    let (code, why) = refusal(&gateway, &["archives", "delete", &eves]).await;
    assert_eq!(code, 2, "{why}");
    json(&gateway, &["archives", "delete", &eves, "-y"]).await;
    let left = json(&gateway, &["archives"]).await;
    assert!(!left.to_string().contains(&eves), "{left}");
    let (code, why) = refusal(&gateway, &["archives", "delete", &eves, "--yes"]).await;
    assert_eq!(code, 1);
    assert!(why.contains("there is no archive"), "{why}");
}
