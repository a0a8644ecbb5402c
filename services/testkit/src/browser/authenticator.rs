//! The passkey authenticator inside the browser: what a fingerprint reader is to a laptop.

use chromiumoxide::cdp::browser_protocol::web_authn::{
    AddVirtualAuthenticatorParams, AuthenticatorId, AuthenticatorProtocol, AuthenticatorTransport,
    EnableParams, VirtualAuthenticatorOptions,
};

/// Adds an authenticator that holds no passkey yet and says yes to every prompt.
pub(super) async fn add(page: &chromiumoxide::Page) -> AuthenticatorId {
    let options = VirtualAuthenticatorOptions::builder()
        .protocol(AuthenticatorProtocol::Ctap2)
        .transport(AuthenticatorTransport::Internal)
        .has_resident_key(true)
        .has_user_verification(true)
        .is_user_verified(true)
        .automatic_presence_simulation(true)
        .build()
        .expect("protocol and transport are given");
    page.execute(EnableParams::default())
        .await
        .expect("WebAuthn can be driven");
    page.execute(AddVirtualAuthenticatorParams::new(options))
        .await
        .expect("a virtual authenticator")
        .result
        .authenticator_id
}
