use super::watch::Watched;
use super::*;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use tempfile::TempDir;
use testkit::tls::{Authority, CERT_FILE, Issued, KEY_FILE, Kind};

fn issued(kind: Kind) -> Issued {
    Authority::new().unwrap().issue(kind).unwrap()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(issued: &Issued) -> Self {
        let folder = Self::new();
        issued.write(folder.0.path()).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn open(&self) -> Result<Watched, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        Watched::open(&self.path(CERT_FILE), &self.path(KEY_FILE), provider)
    }
}

/// The certificates that a handshake gets, and whether they are those of `issued`.
fn serves(tls: &Watched, issued: &Issued) -> bool {
    let folder = Folder::with(issued);
    let wanted = folder.open().unwrap().resolver.0.load_full();
    tls.resolver.0.load().cert == wanted.cert
}

fn is_logged(tls: &Watched) -> bool {
    tls.last_read.lock().unwrap().logged
}

#[test]
fn a_chain_of_either_kind_is_served_whole() {
    for kind in [Kind::Ecdsa, Kind::Rsa] {
        let tls = Folder::with(&issued(kind)).open().unwrap();
        assert_eq!(tls.resolver.0.load().cert.len(), 2, "{kind:?}");
    }
}

#[test]
fn what_is_no_pair_is_refused_with_key_and_file_and_no_byte_of_it() {
    let (one, other) = (issued(Kind::Ecdsa), issued(Kind::Rsa));
    let (cert, key) = (one.chain.as_str(), one.key.as_str());
    let half = &key[..key.len() / 2];
    let text = |name: &str| format!("-----BEGIN {name}-----\nAAAA\n-----END {name}-----\n");
    let (parameters, locked) = (text("EC PARAMETERS"), text("ENCRYPTED PRIVATE KEY"));
    let (no_cert, no_key) = (text("CERTIFICATE"), text("PRIVATE KEY"));
    for (cert, key, about, hint) in [
        ("", key, "tls.cert", "no certificate in it"),
        (key, key, "tls.cert", "no certificate in it"),
        ("x", key, "tls.cert", "no certificate in it"),
        (&cert[..cert.len() - 9], key, "tls.cert", "cut off"),
        (
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
            key,
            "tls.cert",
            "base64",
        ),
        (&no_cert, key, "tls.cert", "no X.509 certificate"),
        (cert, "", "tls.key", "no private key in it"),
        (cert, cert, "tls.key", "no private key in it"),
        (cert, half, "tls.key", "cut off"),
        (cert, &parameters, "tls.key", "no private key in it"),
        (cert, &locked, "tls.key", "without a passphrase"),
        (cert, &no_key, "tls.key", "ECDSA"),
        (cert, &other.key, "tls.key", "do not belong together"),
        (&other.chain, key, "tls.key", "do not belong together"),
    ] {
        let folder = Folder::new();
        folder.write(CERT_FILE, cert);
        folder.write(KEY_FILE, key);
        let said = folder.open().map(|_| ()).expect_err(hint).to_string();
        let file = if about == "tls.cert" {
            CERT_FILE
        } else {
            KEY_FILE
        };
        assert!(said.contains(about) && said.contains(hint), "{said}");
        assert!(said.contains(folder.path(file).to_str().unwrap()), "{said}");
        for line in key
            .lines()
            .chain(cert.lines())
            .filter(|line| line.len() > 8)
        {
            assert!(line.starts_with("-----") || !said.contains(line), "{said}");
        }
    }
    let folder = Folder::with(&one);
    for (name, about) in [(KEY_FILE, "tls.key"), (CERT_FILE, "tls.cert")] {
        std::fs::remove_file(folder.path(name)).unwrap();
        let said = folder.open().map(|_| ()).unwrap_err().to_string();
        assert!(
            said.contains(about) && said.contains("cannot be read"),
            "{said}"
        );
    }
}

#[test]
fn files_that_are_written_over_are_served_from_the_next_refresh_on() {
    let (old, new) = (issued(Kind::Ecdsa), issued(Kind::Rsa));
    let folder = Folder::with(&old);
    let tls = folder.open().unwrap();
    tls.refresh(false);
    assert!(serves(&tls, &old));
    new.write(folder.0.path()).unwrap();
    tls.refresh(false);
    assert!(serves(&tls, &new));
}

#[test]
fn a_link_that_leads_elsewhere_is_a_change() {
    let (old, new) = (issued(Kind::Ecdsa), issued(Kind::Ecdsa));
    let folder = Folder::new();
    for (name, issued) in [("1", &old), ("2", &new)] {
        std::fs::create_dir(folder.path(name)).unwrap();
        issued.write(&folder.path(name)).unwrap();
    }
    symlink("1", folder.path("data")).unwrap();
    for name in [CERT_FILE, KEY_FILE] {
        symlink(format!("data/{name}"), folder.path(name)).unwrap();
    }
    let tls = folder.open().unwrap();
    symlink("2", folder.path("next")).unwrap();
    std::fs::rename(folder.path("next"), folder.path("data")).unwrap();
    tls.refresh(false);
    assert!(serves(&tls, &new));
}

#[test]
fn a_pair_that_does_not_fit_leaves_the_old_one_and_is_logged_when_it_stays() {
    let (old, new) = (issued(Kind::Ecdsa), issued(Kind::Ecdsa));
    let folder = Folder::with(&old);
    let tls = folder.open().unwrap();
    folder.write(CERT_FILE, &new.chain);
    tls.refresh(false);
    assert!(serves(&tls, &old) && !is_logged(&tls), "it may be half way");
    tls.refresh(false);
    assert!(serves(&tls, &old) && is_logged(&tls));
    // Another mistake is logged again, a key that is missing as well.
    std::fs::remove_file(folder.path(KEY_FILE)).unwrap();
    tls.refresh(false);
    assert!(serves(&tls, &old) && !is_logged(&tls));
    tls.refresh(true);
    assert!(
        serves(&tls, &old) && is_logged(&tls),
        "a request is answered at once"
    );
    folder.write(KEY_FILE, &new.key);
    tls.refresh(false);
    assert!(serves(&tls, &new) && !is_logged(&tls));
}
