//! Names by which the configuration names somebody.

use crate::operator::{act, get as ask, refusal};
use crate::{Sides, enrol};
use serde_json::json;
use testkit::person::Person;

#[tokio::test]
async fn nobody_comes_to_a_name_of_the_configuration_or_leaves_it() {
    let sides = Sides::of(&["sandbox", "one"]).await;
    let declared: &[(&str, &[&str])] = &[("sandbox", &[]), ("one", &["Ada", "cyd"])];
    let gateway = sides.gateway(declared).start().await.unwrap();
    let invite = json!({ "act": "invite", "username": "ADA" });
    let invite = act(&gateway, &invite).await.unwrap();
    let ada = enrol(&gateway, "ada", &invite).await.unwrap();
    let bob = Person::register(&gateway, "bob").await.unwrap();
    for (user, name) in [(&ada, "lovelace"), (&bob, "CYD")] {
        let rename = json!({ "act": "rename_user", "user_id": user.user_id, "username": name });
        let refused = refusal(&gateway, rename).await;
        assert_eq!(refused, (409, "name_reserved".into()), "{name}");
    }
    let rename = json!({ "act": "rename_user", "user_id": bob.user_id, "username": "robert" });
    act(&gateway, &rename).await.unwrap();
    let found = ask(&gateway, "/users?search=ROB").await;
    assert_eq!(found[0]["username"], "robert");
    assert_eq!(found[0]["workspaces"], json!(["sandbox"]));
    assert!(found[0]["last_seen_at"].is_string());
}
