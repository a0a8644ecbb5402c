//! What the operator's commands can do.

use crate::harness::{Site, open};

#[tokio::test]
async fn the_operator_sees_every_user() {
    let site = Site::new(&open()).await;
    site.member("ada").await;
    site.member("bob").await;
    let users = site.auth.people("").await.unwrap();
    let seen: Vec<_> = users
        .iter()
        .map(|user| {
            (
                &*user.user.username,
                user.passkeys,
                user.sessions,
                user.recovery_codes_left,
            )
        })
        .collect();
    assert_eq!(seen, [("ada", 1, 1, 10), ("bob", 1, 1, 10)]);
}
