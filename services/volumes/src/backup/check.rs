//! What tells whether a database is whole.

use std::path::Path;

/// Tells whether a `SQLite` database is whole. What is in it may be hostile.
pub trait Check {
    /// Whether it looks at a database as `owner`, to whom it has to belong then.
    fn is_as_owner(&self) -> bool {
        false
    }

    /// Looks at a copy that nobody else uses, in a folder for it alone, both of which it may
    /// write to. What was beside the original, and belongs to it, is beside the copy.
    ///
    /// # Errors
    /// What is wrong with it, said of the database.
    fn check(&self, database: &Path, owner: (u32, u32)) -> Result<(), String>;
}
