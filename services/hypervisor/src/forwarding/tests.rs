//! Who is taken for which machine.

use super::Forwarding;
use super::protocol::{HTTP1, HTTP2};
use crate::config::{Cluster, Config};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use testkit::tls::{Authority, CERT_FILE, Issued, KEY_FILE};
use tokio::net::TcpListener;

const DOMAIN: &str = "choir.example";

fn issue(authority: &Authority, domain: &str, machine: &str) -> Issued {
    let uri = format!("spiffe://{domain}/machine/{machine}");
    authority.issue_for_uri(&uri).unwrap()
}

/// The machine `name` with this certificate, which trusts `authority`, and whose peer is there.
fn open(
    folder: &Path,
    authority: &Authority,
    issued: &Issued,
    name: &str,
    peers: &[(&str, u16)],
) -> Result<Arc<Forwarding>, String> {
    issued.write(folder).unwrap();
    std::fs::write(folder.join("ca.pem"), authority.root_pem()).unwrap();
    let peers = peers.iter();
    let peers = peers.map(|(name, port)| ((*name).to_owned(), format!("127.0.0.1:{port}")));
    let config = Config {
        cluster: Cluster {
            machine: Some(name.to_owned()),
            address: None,
            peers: peers.collect(),
            cert: Some(folder.join(CERT_FILE)),
            key: Some(folder.join(KEY_FILE)),
            ca: Some(folder.join("ca.pem")),
        },
        ..Config::default()
    };
    let opened = Forwarding::open(&config).map_err(|error| error.to_string())?;
    Ok(opened.unwrap())
}

/// Whether `a` lets in, and knows, a machine that has this certificate and says that it is `name`.
async fn meet(authority: &Authority, theirs: (&Authority, &Issued), name: &str) -> (bool, bool) {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let own = issue(authority, DOMAIN, "a");
    let a = open(here.path(), authority, &own, "a", &[("b", port)]).unwrap();
    let b = open(there.path(), theirs.0, theirs.1, name, &[("a", port)]).unwrap();
    let accepting = async {
        let (stream, _) = listener.accept().await.unwrap();
        a.accept(stream).await.is_ok()
    };
    let connecting = async {
        let stream = b.connect("a", HTTP2).await;
        // One that is not let in hears of it when it reads.
        drop(stream);
    };
    let (lets_in, ()) = tokio::join!(accepting, connecting);
    let accepting = async {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = b.accept(stream).await;
    };
    let (knows, ()) = tokio::join!(a.connect("b", HTTP1), accepting);
    (lets_in, knows.is_ok())
}

#[tokio::test]
async fn a_machine_is_whom_its_certificate_says_and_nobody_else() {
    let (authority, stranger) = (Authority::new().unwrap(), Authority::new().unwrap());
    let b = issue(&authority, DOMAIN, "b");
    assert_eq!(meet(&authority, (&authority, &b), "b").await, (true, true));
    let c = issue(&authority, DOMAIN, "c");
    let as_c = meet(&authority, (&authority, &c), "c").await;
    assert_eq!(as_c, (false, false), "it is no peer of a's");
    let other = issue(&authority, "other.example", "b");
    let of_other = meet(&authority, (&authority, &other), "b").await;
    assert_eq!(of_other, (false, false), "it is of another domain");
    let forged = issue(&stranger, DOMAIN, "b");
    let forged = meet(&authority, (&stranger, &forged), "b").await;
    assert_eq!(forged, (false, false), "nobody knows who issued it");
}

#[test]
fn a_certificate_of_somebody_else_is_refused_at_the_start() {
    let authority = Authority::new().unwrap();
    let folder = TempDir::new().unwrap();
    let refused = |issued: &Issued| match open(folder.path(), &authority, issued, "a", &[]) {
        Ok(_) => panic!("it is taken"),
        Err(said) => said,
    };
    let other = refused(&issue(&authority, DOMAIN, "b"));
    assert!(other.contains("is of the machine b"), "{other}");
    let server = authority.issue(testkit::tls::Kind::Ecdsa).unwrap();
    let nameless = refused(&server);
    assert!(
        nameless.contains("spiffe://<your domain>/machine/a"),
        "{nameless}"
    );
    let mut mixed = issue(&authority, DOMAIN, "a");
    mixed.key = server.key;
    let mixed = refused(&mixed);
    assert!(mixed.contains("cluster.cert, cluster.key"), "{mixed}");
}

#[tokio::test]
async fn another_certificate_is_taken_up_and_a_bad_one_is_not() {
    let authority = Authority::new().unwrap();
    let folder = TempDir::new().unwrap();
    let a = open(
        folder.path(),
        &authority,
        &issue(&authority, DOMAIN, "a"),
        "a",
        &[],
    )
    .unwrap();
    let before = a.tls.load_full();
    std::fs::write(folder.path().join(CERT_FILE), "nothing").unwrap();
    a.reload();
    assert!(Arc::ptr_eq(&a.tls.load(), &before));
    issue(&authority, DOMAIN, "a").write(folder.path()).unwrap();
    a.reload();
    assert!(!Arc::ptr_eq(&a.tls.load(), &before));
}
