//! Cookies that a sandbox's page sets, for itself and for the whole domain.

use crate::site::{ADA, Site};

/// Sets as many and as large ones as a browser takes, and ours by name.
const FLOOD: &str = r#"(() => {
    const port = location.port;
    for (const domain of ["", "; domain=localhost", "; domain=" + location.hostname]) {
        for (const name of ["choiros", "choiros-ceremony", "choiros-grant", "choiros-enter"]) {
            document.cookie = `${name}=evil; path=/${domain}`;
            document.cookie = `${name}-${port}=evil; path=/${domain}`;
            document.cookie = `${name}-${port}=evil; path=/auth${domain}`;
            document.cookie = `${name}-${port}=evil; path=/.choiros${domain}`;
            document.cookie = `__Host-${name}=evil; path=/; secure${domain}`;
        }
        for (let i = 0; i < 3; i++) document.cookie = `c${i}${domain.length}=${"x".repeat(3000)}; path=/${domain}`;
    }
    return document.cookie.length;
})()"#;

#[tokio::test]
async fn the_gateway_goes_on_beside_a_sandbox_that_sets_cookies() {
    for origins in ["own", "shared"] {
        let site = Site::start(origins).await;
        let page = site.person(ADA).await;
        let length: usize = page.eval(FLOOD).await;
        assert!(length > 8000, "{length}");
        let me = site.ask(&page, "/auth/me").await;
        assert_eq!(me["username"], ADA, "{origins}");
    }
}
