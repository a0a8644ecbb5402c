//! Who issues the certificates: how it is trusted, and the account that this gateway has there.

use super::Settings;
use super::folder::Folder;
use super::http::{Http, RetryAfter};
use crate::pem;
use crate::tls::TlsError;
use instant_acme::{Account, AccountCredentials, Error, NewAccount};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Mutex;
use tracing::{info, warn};

/// Which key names the roots that it is known by.
const ROOTS: &str = "tls.acme.ca_file";

/// The authority.
pub(super) struct Authority {
    directory: String,
    contact: Option<String>,
    tls: Arc<ClientConfig>,
    /// Several orders at once make one account.
    making: Mutex<()>,
}

/// The account, as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    contact: Option<String>,
    credentials: Value,
}

impl Authority {
    pub(super) fn open(
        settings: &Settings,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let roots = match &settings.ca_file {
            Some(file) => pem::roots_of(ROOTS, file)?,
            None => pem::roots_of_system(ROOTS),
        };
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let email = settings.email.as_ref();
        Ok(Self {
            directory: settings.directory.clone(),
            contact: email.map(|email| format!("mailto:{email}")),
            tls: Arc::new(tls),
            making: Mutex::new(()),
        })
    }

    /// The account, made if there is none yet; `retry_after` hears what the authority says of it.
    pub(super) async fn account(
        &self,
        folder: &Folder,
        retry_after: &RetryAfter,
    ) -> Result<Account, Error> {
        let builder = Account::builder_with_http(Box::new(Http {
            tls: self.tls.clone(),
            retry_after: retry_after.clone(),
        }));
        let contact: Vec<&str> = self.contact.as_deref().into_iter().collect();
        let making = self.making.lock().await;
        if let Some((kept, credentials)) = kept(folder) {
            drop(making);
            let account = builder.from_credentials(credentials).await?;
            if kept.contact != self.contact {
                account.update_contacts(&contact).await?;
                self.keep(folder, kept.credentials);
            }
            return Ok(account);
        }
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true, // `tls.acme.accept_terms` said so.
            only_return_existing: false,
        };
        let made = builder.create(&new, self.directory.clone(), None).await?;
        let (account, credentials) = made;
        self.keep(folder, serde_json::to_value(credentials)?);
        info!(
            account = account.id(),
            "there is an account with the authority of tls.acme"
        );
        Ok(account)
    }

    /// Has the next order make another account in the place of this one.
    pub(super) async fn forget(&self, folder: &Folder, id: &str) {
        let _making = self.making.lock().await;
        // Another order may have noticed before.
        if kept(folder).is_some_and(|(kept, _)| kept.credentials["id"] == id) {
            folder.forget_account();
        }
    }

    fn keep(&self, folder: &Folder, credentials: Value) {
        let contact = self.contact.clone();
        let kept = Kept {
            contact,
            credentials,
        };
        if let Err(error) = folder.keep_account(&kept) {
            warn!(%error, "the account with the authority is not kept, and made anew at the next order; make room in tls.acme.dir");
        }
    }
}

fn kept(folder: &Folder) -> Option<(Kept, AccountCredentials)> {
    let kept: Kept = folder.account()?;
    let Ok(credentials) = AccountCredentials::deserialize(&kept.credentials) else {
        folder.forget_account();
        return None;
    };
    Some((kept, credentials))
}
