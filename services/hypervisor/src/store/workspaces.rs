//! What is kept of workspaces.

use super::{Home, Outcome, ProbationRow, Settlement, StoreError, Watch, WorkspaceRow};
use crate::access::Access;
use crate::role::Role;
use uuid::Uuid;

/// Workspaces: who owns which two sandboxes, and their roles.
pub trait WorkspaceStore {
    /// Every workspace, by name.
    fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError>;

    /// One workspace, if it is there.
    fn workspace(&self, name: &str) -> Result<Option<WorkspaceRow>, StoreError>;

    /// Keeps new workspaces, members included.
    ///
    /// # Errors
    /// `Conflict::Workspace` if a name exists, and then none is kept.
    fn create_workspaces(&self, rows: &[WorkspaceRow]) -> Result<(), StoreError>;

    /// Who was taken out of a workspace, and is in none.
    fn taken_out(&self) -> Result<Vec<Uuid>, StoreError>;

    /// Brings workspaces and members to what the configuration says.
    ///
    /// # Errors
    /// `Conflict::Workspace` or `Conflict::Member` if a workspace or a member is not what
    /// the change is from, and then none of it is done.
    fn settle(&self, change: &Settlement) -> Result<(), StoreError>;

    /// Says who may look at a workspace's sandbox of this role, whichever it is.
    ///
    /// # Errors
    /// `Conflict::NoWorkspace` if there is none of this name.
    fn set_access(&self, workspace: &str, role: Role, access: Access) -> Result<(), StoreError>;

    /// Exchanges the roles' sandboxes, counts the generation up and notes what that means for a
    /// probation; answers with the result.
    ///
    /// # Errors
    /// `Conflict::Generation` unless there is such a workspace in just this generation.
    fn swap(
        &self,
        workspace: &str,
        expect_generation: u64,
        by: &str,
        watch: &Watch,
    ) -> Result<WorkspaceRow, StoreError>;
}

/// Where a user is led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// To this workspace, if they have said so.
    pub chosen: Option<String>,
    /// They were taken out of all.
    pub is_taken_out: bool,
}

/// Who is a member of which workspace. One may be of several.
pub trait MemberStore {
    /// Gives a user a workspace, which they are led to; answers with it as it is then.
    ///
    /// # Errors
    /// `Conflict::Member` if they are a member, `Conflict::Workspace` if the new one's name is
    /// taken, `Conflict::NoSlot` if no slot is free for it.
    fn settle_in(&self, home: &Home, user: Uuid) -> Result<Option<WorkspaceRow>, StoreError>;

    /// Makes a user a member.
    ///
    /// # Errors
    /// `Conflict::Member` if they are one.
    fn join(&self, workspace: &str, user: Uuid) -> Result<(), StoreError>;

    /// Takes a user out.
    ///
    /// # Errors
    /// `Conflict::Member` if they are no member.
    fn leave(&self, workspace: &str, user: Uuid) -> Result<(), StoreError>;

    /// Leads a user to this one of theirs.
    ///
    /// # Errors
    /// `Conflict::Member` if they are no member.
    fn choose(&self, user: Uuid, workspace: &str) -> Result<(), StoreError>;

    /// Which workspace each user who has said so is led to.
    fn chosen(&self) -> Result<Vec<(Uuid, String)>, StoreError>;

    /// The same of one user, and whether they are in none because they were taken out.
    fn placed(&self, user: Uuid) -> Result<Placed, StoreError>;
}

/// Swaps on probation, which begin and may end with a swap.
pub trait ProbationStore {
    /// Every workspace's last probation, by name.
    fn probations(&self) -> Result<Vec<ProbationRow>, StoreError>;

    /// A workspace's last probation.
    fn probation(&self, workspace: &str) -> Result<Option<ProbationRow>, StoreError>;

    /// Notes what came of the probation of this generation, if it is still under way.
    fn end_probation(
        &self,
        workspace: &str,
        generation: u64,
        outcome: Outcome,
        detail: &str,
    ) -> Result<(), StoreError>;
}
