//! Another certificate, while connections stay.

use crate::site::{Site, first, get};
use rustix::process::Signal;
use std::os::unix::fs::symlink;
use testkit::raw::{Raw, status};
use testkit::tls::{Issued, Kind};
use testkit::wait::eventually;

/// The certificate that is served once it is not `old`.
async fn another(site: &Site, old: &[u8]) -> Vec<u8> {
    let changed = async || {
        let now = site.certificate().await;
        (now.as_ref() != old).then(|| now.to_vec())
    };
    eventually("another certificate", changed).await.unwrap()
}

fn renewed(site: &Site) -> Issued {
    site.authority.issue(Kind::Ecdsa).unwrap()
}

#[tokio::test]
async fn a_signal_has_new_connections_get_the_new_one_while_a_download_goes_on() {
    let mut site = Site::start("").await;
    let person = site.person().await;
    let stream = site.connect(site.client(&["http/1.1"])).await.unwrap();
    let old = first(&stream);
    let mut download = Raw::on(stream);
    let cookie = format!("Cookie: {}\r\n", person.cookie());
    download
        .send(get(&site.host(), "/events", &cookie))
        .await
        .unwrap();
    download.read_until("data: hello").await.unwrap();

    renewed(&site).write(site.gateway.state_dir()).unwrap();
    site.gateway.process().signal(Signal::HUP).unwrap();
    another(&site, &old).await;

    assert_eq!(site.upstream.emit("still here"), 1);
    download.read_until("data: still here").await.unwrap();
    let process = site.gateway.process();
    assert!(process.exited().unwrap().is_none());
}

#[tokio::test]
async fn other_files_are_noticed_without_a_signal_whichever_way_they_are_put_there() {
    let site = Site::start("").await;
    let [cert, key] = site.files();
    let folder = site.gateway.state_dir();
    let mut old = site.certificate().await.to_vec();
    // Written over.
    renewed(&site).write(folder).unwrap();
    old = another(&site, &old).await;
    // By a link that leads elsewhere.
    for name in ["1", "2"] {
        std::fs::create_dir(folder.join(name)).unwrap();
        renewed(&site).write(&folder.join(name)).unwrap();
    }
    symlink("1", folder.join("data")).unwrap();
    for path in [&cert, &key] {
        let name = path.file_name().unwrap();
        let next = folder.join("next");
        symlink(std::path::Path::new("data").join(name), &next).unwrap();
        std::fs::rename(&next, path).unwrap();
    }
    old = another(&site, &old).await;
    symlink("2", folder.join("next")).unwrap();
    std::fs::rename(folder.join("next"), folder.join("data")).unwrap();
    another(&site, &old).await;
}

#[tokio::test]
async fn a_pair_that_does_not_fit_is_told_once_and_served_as_soon_as_it_does() {
    let mut site = Site::start("").await;
    let [cert, key] = site.files();
    let old = site.certificate().await;
    let new = renewed(&site);
    std::fs::write(&cert, &new.chain).unwrap();
    let is_told = |line: &str| line.contains("do not belong together");
    let line = site.gateway.process().stderr_line(is_told).await.unwrap();
    assert!(line.contains(cert.to_str().unwrap()), "{line}");
    assert_eq!(site.certificate().await, old);
    // It is looked at again meanwhile, and told no more.
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    std::fs::write(&key, &new.key).unwrap();
    another(&site, &old).await;
    let said = site.gateway.process().stderr();
    assert_eq!(
        said.lines().filter(|line| is_told(line)).count(),
        1,
        "{said}"
    );
    for line in new.key.lines().filter(|line| !line.starts_with("-----")) {
        assert!(!said.contains(line), "a key in the log");
    }
}

#[tokio::test]
async fn a_file_that_is_gone_for_a_while_disturbs_nobody() {
    let mut site = Site::start("").await;
    let [cert, _] = site.files();
    std::fs::remove_file(&cert).unwrap();
    site.gateway.process().signal(Signal::HUP).unwrap();
    let is_told = |line: &str| line.contains("tls.cert") && line.contains("cannot be read");
    site.gateway.process().stderr_line(is_told).await.unwrap();
    let mut raw = site.raw().await;
    raw.send(get(&site.host(), "/health", "")).await.unwrap();
    assert_eq!(status(raw.read_head().await.unwrap()), Some(200));
}
