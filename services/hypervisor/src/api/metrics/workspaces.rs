//! What is told of each workspace, as far as that many labels are good for Prometheus.

use super::exposition::Exposition;
use crate::api::Api;
use crate::role::Role;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// So many workspaces have a label of their own.
const MOST: usize = 100;

/// The label of all others together. No workspace can have this name, which is no label of a host.
const OTHERS: &str = "_other";

/// The workspaces that have a label of their own: the first that were met, by name, which keep it
/// for as long as this program runs. So none of the counters ever takes over another's count.
#[derive(Debug, Default)]
pub struct Labels(Mutex<HashSet<Arc<str>>>);

impl Labels {
    /// The label of the workspace of this name.
    pub(super) fn of(&self, name: &Arc<str>) -> String {
        let mut labels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if labels.contains(name) {
            return name.to_string();
        }
        if labels.len() < MOST {
            labels.insert(name.clone());
            return name.to_string();
        }
        OTHERS.to_owned()
    }
}

pub(super) fn tell(page: &mut Exposition, api: &Api) {
    let mut requests: BTreeMap<(String, Role), u64> = BTreeMap::new();
    for workspace in api.routes.all() {
        let label = api.labels.of(&workspace.name);
        for role in [Role::Live, Role::Dev] {
            *requests.entry((label.clone(), role)).or_default() += workspace.requests(role);
        }
    }
    page.counters(
        "choiros_workspace_requests",
        "Requests that a workspace's sandboxes got, by workspace as far as there are labels.",
        requests.into_iter().map(|((workspace, role), count)| {
            let labels = vec![("workspace", workspace), ("role", role.as_str().to_owned())];
            (labels, count)
        }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_first_hundred_workspaces_share_a_label() {
        let labels = Labels::default();
        let name = |number: usize| Arc::<str>::from(format!("w{number}"));
        for number in 0..MOST {
            assert_eq!(labels.of(&name(number)), format!("w{number}"));
        }
        assert_eq!(labels.of(&name(MOST)), OTHERS);
        assert_eq!(labels.of(&name(7)), "w7", "who has one keeps it");
        assert_eq!(labels.of(&name(MOST)), OTHERS);
    }
}
