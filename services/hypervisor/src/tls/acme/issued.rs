//! A certificate with its key, as it is kept and as it is served.

use crate::timestamp::Timestamp;
use crate::tls::Validity;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::sync::Arc;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate with its key.
pub(super) struct Issued {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) validity: Validity,
}

impl Issued {
    /// Of a key and a chain, both PEM.
    ///
    /// # Errors
    /// Why it is none for this name; nothing of the key is said.
    pub(super) fn read(name: &str, pem: &[u8], provider: &CryptoProvider) -> Result<Self, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let chain = chain.map_err(|_| "a certificate in it is not PEM")?;
        let first = chain.first().ok_or("there is no certificate in it")?;
        let validity = validity(name, first)?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| "there is no key in it")?;
        let key = CertifiedKey::from_der(chain, key, provider)
            .map_err(|_| "its key is not that of its certificate")?;
        Ok(Self {
            key: Arc::new(key),
            validity,
        })
    }

    /// When the next one is to be there: with a third of the time left, and a little earlier for
    /// some names than for others, so that what was issued together is not renewed so.
    pub(super) fn renew_at(&self, name: &str) -> Timestamp {
        let ends = self.validity.not_after.millis();
        let lifetime = ends - self.validity.not_before.millis();
        let spread = name
            .bytes()
            .fold(0_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 1000);
        let before_end = lifetime / 3 + lifetime / 30 * spread / 1000;
        Timestamp::from_millis(ends - before_end)
    }

    /// Whether clients take it.
    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        self.validity.holds(now)
    }
}

fn validity(name: &str, certificate: &[u8]) -> Result<Validity, String> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| "its certificate is not X.509")?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let has_name = names.is_some_and(|names| {
        let names = &names.value.general_names;
        let is_name = |it: &GeneralName<'_>| matches!(it, GeneralName::DNSName(dns) if dns.eq_ignore_ascii_case(name));
        names.iter().any(is_name)
    });
    if !has_name {
        return Err(format!("its certificate is not for {name}"));
    }
    let validity = Validity::of(&certificate);
    if validity.not_after <= validity.not_before {
        return Err("its certificate is valid at no time".into());
    }
    Ok(validity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::aws_lc_rs::default_provider;

    fn issued(days: i64) -> Issued {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["a.example".into()]).unwrap();
        let pem = params.self_signed(&key).unwrap().pem() + &key.serialize_pem();
        let issued = Issued::read("a.example", pem.as_bytes(), &default_provider()).unwrap();
        Issued {
            validity: Validity {
                not_before: Timestamp::from_millis(0),
                not_after: Timestamp::from_millis(days * 86_400_000),
            },
            ..issued
        }
    }

    #[test]
    fn it_is_renewed_with_a_third_of_its_time_left_or_a_little_more() {
        for days in [1, 6, 90, 1825] {
            let issued = issued(days);
            let ends = issued.validity.not_after.millis();
            for name in ["a", "b.example", "ada-dev.choir.example", ""] {
                let left = ends - issued.renew_at(name).millis();
                assert!((ends / 3..=ends * 11 / 30).contains(&left), "{days} {name}");
            }
        }
    }

    #[test]
    fn it_is_for_its_name_and_its_time_alone() {
        let issued = issued(90);
        let at = |day: i64| issued.is_valid(Timestamp::from_millis(day * 86_400_000));
        assert!(at(0) && at(89) && !at(90) && !at(-1));
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["a.example".into()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        for (name, pem, hint) in [
            (
                "b.example",
                certificate.clone() + &key.serialize_pem(),
                "not for b.example",
            ),
            ("a.example", certificate.clone(), "no key"),
            ("a.example", key.serialize_pem(), "no certificate"),
            (
                "a.example",
                certificate.clone() + &other,
                "not that of its certificate",
            ),
            ("a.example", certificate[..99].into(), "not PEM"),
            ("a.example", String::new(), "no certificate"),
        ] {
            let said = Issued::read(name, pem.as_bytes(), &default_provider());
            let said = said.map(|_| ()).unwrap_err();
            assert!(said.contains(hint), "{said}");
        }
    }
}
