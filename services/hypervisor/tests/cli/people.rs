//! `hypervisor users`, `invites`, `sessions` and `members`.

use crate::common::{builder, builder_of_own_origins, gateway};
use crate::terminal::Terminal;
use crate::{json, refusal};
use serde_json::{Value, json};
use testkit::harness::Hypervisor;
use testkit::passkey::Authenticator;
use testkit::person::Person;

async fn user(gateway: &Hypervisor, name: &str) -> Value {
    let rows = json(gateway, &["users", "list", "--search", name]).await;
    let rows = rows.as_array().unwrap();
    rows.iter()
        .find(|row| row["username"] == name)
        .unwrap()
        .clone()
}

async fn status_of_session(person: &Person) -> u16 {
    let me = person.client.get("/auth/me").await.unwrap();
    let me: Value = me.json().unwrap();
    if me["authenticated"] == true {
        200
    } else {
        401
    }
}

#[tokio::test]
async fn a_person_is_kept_out_and_let_in_again() {
    let gateway = gateway().await;
    let ada = Person::register(&gateway, "ada").await.unwrap();
    Person::register(&gateway, "bob").await.unwrap();
    assert_eq!(status_of_session(&ada).await, 200);
    let said = gateway.cli(&["users", "disable", "ADA"]).await.unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.starts_with("ada is disabled"), "{said}");
    assert_eq!(status_of_session(&ada).await, 401);
    assert!(user(&gateway, "ada").await["disabled_at"].is_string());
    assert!(ada.log_in().await.is_err());
    json(&gateway, &["users", "enable", "ada"]).await;
    ada.log_in().await.unwrap();
    json(&gateway, &["users", "end-sessions", "ada"]).await;
    assert_eq!(status_of_session(&ada).await, 401);
    assert_eq!(
        json(&gateway, &["users"]).await.as_array().unwrap().len(),
        2
    );
    let found = json(&gateway, &["users", "list", "--search", "bo"]).await;
    assert_eq!(found.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_operator_can_let_a_user_in_who_lost_everything() {
    let gateway = builder_of_own_origins().start().await.unwrap();
    Person::register(&gateway, "ada").await.unwrap();
    let given = json(&gateway, &["recover", " ADA "]).await;
    let code = given["code"].as_str().unwrap();
    let link = format!("{}/recovery?username=ada#{code}", gateway.base_url());
    assert_eq!(given["url"], link, "the code is in nobody's log");
    let browser = gateway.client();
    let post = async |path: &str, body: &Value| {
        let response = browser.post_json(path, body).await.unwrap();
        let said: Value = response.json().unwrap();
        (response.status.as_u16(), said)
    };
    let recovery = json!({ "username": given["username"], "code": code });
    let (recovered, said) = post("/auth/recovery", &recovery).await;
    assert_eq!(recovered, 200, "{said}");
    let (_, options) = post("/auth/passkeys/start", &json!({ "name": "" })).await;
    let credential = Authenticator::new().create(&options, &browser.origin());
    let (added, said) = post("/auth/passkeys/finish", &credential.unwrap()).await;
    assert_eq!((added, &said["name"]), (200, &json!("Passkey 2")), "{said}");
    let (again, said) = post("/auth/recovery", &recovery).await;
    assert_eq!((again, &said["error"]), (401, &json!("recovery_failed")));
    let (_, why) = refusal(&gateway, &["recover", "nobody"]).await;
    assert!(why.contains("there is no account nobody"), "{why}");
}

#[tokio::test]
async fn names_that_nobody_has_are_told_with_those_that_are_alike() {
    let gateway = gateway().await;
    Person::register(&gateway, "ada@example.org").await.unwrap();
    let (code, why) = refusal(&gateway, &["users", "disable", "ada"]).await;
    assert_eq!(code, 1);
    assert!(why.contains("there are ada@example.org"), "{why}");
    let (_, why) = refusal(&gateway, &["recover", "eve"]).await;
    assert!(why.contains("there is no account eve"), "{why}");
    let (_, why) = refusal(&gateway, &["users", "enable", "e\u{202e}ve"]).await;
    assert!(why.contains("no name that an account can have"), "{why}");
    assert!(!why.contains('\u{202e}'), "{why}");
}

#[tokio::test]
async fn roles_and_names_change_but_for_the_last_admin() {
    let gateway = gateway().await;
    let link = gateway.enrolment_link().await.unwrap();
    Person::enrol(&gateway, "ada", &link).await.unwrap();
    Person::register(&gateway, "bob").await.unwrap();
    let (code, why) = refusal(&gateway, &["users", "admin", "ada", "--revoke"]).await;
    assert_eq!(code, 1, "{why}");
    json(&gateway, &["users", "admin", "bob"]).await;
    json(&gateway, &["users", "admin", "ada", "--revoke"]).await;
    assert_eq!(user(&gateway, "ada").await["admin"], false);
    json(&gateway, &["users", "rename", "ada", "eve"]).await;
    assert_eq!(user(&gateway, "eve").await["admin"], false);
    let (_, why) = refusal(&gateway, &["users", "rename", "eve", "bob"]).await;
    assert!(why.contains("bob"), "{why}");
}

#[tokio::test]
async fn a_person_is_removed_once_somebody_says_yes() {
    let gateway = builder().start().await.unwrap();
    let link = gateway.enrolment_link().await.unwrap();
    Person::enrol(&gateway, "ada", &link).await.unwrap();
    Person::register(&gateway, "bob").await.unwrap();
    let remove = ["users", "remove", "bob"];
    let (code, why) = refusal(&gateway, &remove).await;
    assert_eq!(code, 2, "{why}");
    assert!(why.contains("--yes"), "{why}");
    for (typed, code) in [("n\n", 1), ("\n", 1), ("y\n", 0)] {
        assert_eq!(user(&gateway, "bob").await["username"], "bob");
        let mut terminal = Terminal::new();
        terminal.type_in(typed);
        let mut command = gateway.command(&remove);
        command.stdin(terminal.end()).stderr(terminal.end());
        command.stdout(terminal.end());
        let (ended, shown) = terminal.run(command);
        assert!(shown.contains("This removes the account bob"), "{shown}");
        assert_eq!(ended, Some(code), "{typed:?}: {shown}");
    }
    let left = json(&gateway, &["users"]).await;
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
}

#[tokio::test]
async fn invites_are_for_whom_and_as_long_as_they_say_or_until_they_are_revoked() {
    let gateway = Hypervisor::builder(crate::BIN.as_ref())
        .start()
        .await
        .unwrap();
    let link = gateway.enrolment_link().await.unwrap();
    Person::enrol(&gateway, "ada", &link).await.unwrap();
    let make = ["invites", "create", "--username", "bob", "--hours", "2"];
    let bound = json(&gateway, &make).await;
    let url = bound["url"].as_str().unwrap();
    assert!(Person::enrol(&gateway, "eve", url).await.is_err());
    Person::enrol(&gateway, "bob", url).await.unwrap();
    let open = json(&gateway, &["invite"]).await;
    json(
        &gateway,
        &["invites", "revoke", open["id"].as_str().unwrap()],
    )
    .await;
    let url = open["url"].as_str().unwrap();
    assert!(Person::enrol(&gateway, "eve", url).await.is_err());
    let rows = json(&gateway, &["invites"]).await;
    let of = |id: &Value| {
        let row = rows.as_array().unwrap().iter().find(|row| row["id"] == *id);
        row.unwrap().clone()
    };
    let used = of(&bound["id"]);
    assert_eq!(
        (&used["state"], &used["username"]),
        (&json!("used"), &json!("bob"))
    );
    assert_eq!(of(&open["id"])["state"], "revoked");
    let nobody = ["invites", "revoke", "00000000-0000-0000-0000-000000000000"];
    assert_eq!(refusal(&gateway, &nobody).await.0, 1);
}

#[tokio::test]
async fn one_session_ends_and_the_others_stay() {
    let gateway = gateway().await;
    let ada = Person::register(&gateway, "ada").await.unwrap();
    let bob = Person::register(&gateway, "bob").await.unwrap();
    let rows = json(&gateway, &["sessions", "list", "--user", "ada"]).await;
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["username"], "ada");
    json(
        &gateway,
        &["sessions", "end", rows[0]["id"].as_str().unwrap()],
    )
    .await;
    assert_eq!(status_of_session(&ada).await, 401);
    assert_eq!(status_of_session(&bob).await, 200);
    assert_eq!(
        json(&gateway, &["sessions"])
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn members_come_and_go() {
    let gateway = gateway().await;
    Person::register(&gateway, "ada").await.unwrap();
    Person::register(&gateway, "bob").await.unwrap();
    let rows = json(&gateway, &["members"]).await;
    let of = |rows: &Value, workspace: &str| -> Vec<String> {
        let rows = rows.as_array().unwrap().iter();
        let rows = rows.filter(|row| row["workspace"] == workspace);
        let names = rows.map(|row| row["username"].as_str().unwrap().to_owned());
        names.collect()
    };
    assert_eq!(of(&rows, "sandbox"), ["ada"], "{rows}");
    json(&gateway, &["members", "add", "sandbox", "bob"]).await;
    let rows = json(&gateway, &["members", "list", "sandbox"]).await;
    assert_eq!(of(&rows, "sandbox").len(), 2, "{rows}");
    json(&gateway, &["members", "remove", "sandbox", "bob"]).await;
    let rows = json(&gateway, &["members", "list", "sandbox"]).await;
    assert_eq!(of(&rows, "sandbox"), ["ada"], "{rows}");
    let (_, why) = refusal(&gateway, &["members", "list", "nowhere"]).await;
    assert!(why.contains("there is no workspace nowhere"), "{why}");
}
