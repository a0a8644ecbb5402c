//! The device that the person sits at, as far as passkeys go.

use super::authenticator;
use super::page::Page;
use chromiumoxide::cdp::browser_protocol::web_authn::{
    RemoveVirtualAuthenticatorParams, SetUserVerifiedParams,
};

impl Page {
    /// From now on the person sits at a device without a passkey.
    pub async fn change_device(&mut self) {
        self.inner
            .execute(RemoveVirtualAuthenticatorParams::new(
                self.authenticator.clone(),
            ))
            .await
            .expect("the device can be taken away");
        self.authenticator = authenticator::add(&self.inner).await;
    }

    /// Whether the device recognises the person from now on; without, a prompt ends as one that
    /// was cancelled.
    pub async fn recognise(&self, yes: bool) {
        self.inner
            .execute(SetUserVerifiedParams::new(self.authenticator.clone(), yes))
            .await
            .expect("user verification can be set");
    }
}
