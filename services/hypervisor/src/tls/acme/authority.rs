//! Who issues the certificates: how it is trusted, and the account that this gateway has there.

use super::Settings;
use super::folder::Folder;
use super::http::{Http, RetryAfter};
use crate::tls::TlsError;
use instant_acme::{Account, AccountCredentials, Error, NewAccount};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Mutex;
use tracing::{info, warn};

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
            Some(file) => roots_of(file)?,
            None => roots_of_system(),
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

/// The roots in a PEM file.
fn roots_of(file: &Path) -> Result<RootCertStore, TlsError> {
    const KEY: &str = "tls.acme.ca_file";
    let path = || file.to_owned();
    let none = || TlsError::Missing {
        key: KEY,
        path: path(),
        wanted: "certificate",
        mend: "give the roots that the authority's own certificate leads to",
    };
    let text = std::fs::read(file).map_err(|source| TlsError::Unreadable {
        key: KEY,
        path: path(),
        source,
    })?;
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| TlsError::NotPem {
        key: KEY,
        path: path(),
        reason: crate::tls::error::reason(&error),
    })?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 {
        return Err(none());
    }
    Ok(roots)
}

/// Those that this host trusts.
fn roots_of_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        warn!(
            "this host trusts no certificates at all, that of an ACME server neither; install the package ca-certificates, or set SSL_CERT_FILE or tls.acme.ca_file"
        );
    }
    roots
}
