//! Who is a member of which workspace, by name.

use super::Api;
use crate::routes::Workspace;
use crate::store::{Store, StoreError};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// Who is a member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(super) struct Member {
    pub(super) username: String,
    pub(super) user_id: Uuid,
}

/// The members of each of these workspaces, by name.
pub(super) async fn members_of(
    api: &Api,
    workspaces: &[Arc<Workspace>],
) -> Result<Vec<Vec<Member>>, StoreError> {
    named_members(api, api.routes.members_of(workspaces)).await
}

/// The same of workspaces that have these members.
pub(super) async fn named_members(
    api: &Api,
    ids: Vec<Vec<Uuid>>,
) -> Result<Vec<Vec<Member>>, StoreError> {
    let all: BTreeSet<Uuid> = ids.iter().flatten().copied().collect();
    let names = api.store.run(move |store| usernames(store, all)).await?;
    let members = |ids: Vec<Uuid>| {
        let known = ids.into_iter().filter_map(|user_id| {
            let username = names.get(&user_id)?.clone();
            Some(Member { username, user_id })
        });
        let mut members: Vec<_> = known.collect();
        members.sort();
        members
    };
    Ok(ids.into_iter().map(members).collect())
}

fn usernames(store: &dyn Store, ids: BTreeSet<Uuid>) -> Result<HashMap<Uuid, String>, StoreError> {
    let mut names = HashMap::new();
    for id in ids {
        if let Some(user) = store.user_by_id(id)? {
            names.insert(id, user.username);
        }
    }
    Ok(names)
}
