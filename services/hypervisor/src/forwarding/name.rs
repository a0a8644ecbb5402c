//! What a machine's certificate says that it is: a name as SPIFFE has them.

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What stands before the domain.
const SCHEME: &str = "spiffe://";
/// What stands between the domain and the machine's name.
const PATH: &str = "/machine/";

/// The name of a machine, in the domain of those that know each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) domain: String,
    pub(super) machine: String,
}

impl Name {
    /// The only one that this certificate has.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let names = certificate.subject_alternative_name().ok()??;
        let mut uris = names
            .value
            .general_names
            .iter()
            .filter_map(|name| match name {
                GeneralName::URI(uri) => Some(*uri),
                _ => None,
            });
        let name = Self::parse(uris.next()?)?;
        // SPIFFE lets a certificate have one alone, so that nobody has to choose.
        uris.next().is_none().then_some(name)
    }

    fn parse(uri: &str) -> Option<Self> {
        let (domain, machine) = uri.strip_prefix(SCHEME)?.split_once(PATH)?;
        let is_plain = |text: &str| {
            let plain = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)
            };
            !text.is_empty() && text.bytes().all(plain)
        };
        (is_plain(domain) && is_plain(machine)).then(|| Self {
            domain: domain.to_owned(),
            machine: machine.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_one_machine_in_one_domain() {
        let name = Name::parse("spiffe://choir.example/machine/a").unwrap();
        assert_eq!((&*name.domain, &*name.machine), ("choir.example", "a"));
        for uri in [
            "https://choir.example/machine/a",
            "spiffe:///machine/a",
            "spiffe://choir.example/machine/",
            "spiffe://choir.example/machine/a/b",
            "spiffe://choir.example/machine/../a",
            "spiffe://choir.example/other/a",
            "spiffe://choir.example/x/machine/a",
            "spiffe://Choir.example/machine/A",
            "spiffe://a@choir.example/machine/a",
            "spiffe://choir.example/machine/a?b",
            "",
        ] {
            assert_eq!(Name::parse(uri), None, "{uri}");
        }
    }
}
