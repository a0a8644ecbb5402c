//! Whether this machine can be one of several.

use super::Verdict;
use crate::config::Config;

pub(super) fn cluster(config: &Config) -> Verdict {
    let cluster = &config.cluster;
    let Some(machine) = &cluster.machine else {
        let is_set = cluster.address.is_some() || !cluster.peers.is_empty();
        let files = [&cluster.cert, &cluster.key, &cluster.ca];
        if is_set || files.iter().any(|file| file.is_some()) {
            return Err(
                "cluster.machine: say what this machine is called among its peers, or take the rest of [cluster] out".into(),
            );
        }
        return Ok(());
    };
    if config.store.url.is_none() {
        return Err(
            "cluster.machine: machines know each other by the store that they share; set store.url"
                .into(),
        );
    }
    for name in cluster.peers.keys().chain([machine]) {
        if !is_name(name) {
            return Err(format!(
                "cluster: {name:?} is no name of a machine; give lower-case letters, digits and hyphens, such as the host's name"
            ));
        }
    }
    let missing = [
        ("address", cluster.address.is_none()),
        ("cert", cluster.cert.is_none()),
        ("key", cluster.key.is_none()),
        ("ca", cluster.ca.is_none()),
    ];
    if let Some((key, _)) = missing.iter().find(|(_, is_missing)| *is_missing) {
        return Err(format!(
            "cluster.{key}: the other machines do not reach this one without it; set it"
        ));
    }
    if cluster.peers.contains_key(machine) {
        return Err(format!(
            "cluster.peers: {machine} is this machine; name the others alone"
        ));
    }
    let is_place = |place: &&String| {
        place.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    };
    if let Some(place) = cluster.peers.values().find(|place| !is_place(place)) {
        return Err(format!(
            "cluster.peers: `{place}` is no host with a port; give host:port"
        ));
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len())
        && name.chars().all(is_label)
        && !name.starts_with('-')
        && !name.ends_with('-')
}
