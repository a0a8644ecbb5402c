//! What a sandbox wrote last, and what it writes now.

use super::line::{LogLines, MOST_LOG_LINES};
use super::supervision::Supervision;
use super::{RuntimeError, Sandbox};

impl Sandbox {
    /// The last lines that it wrote, of its runs before as well; with `follow` also those to come,
    /// without an end. None of them has control characters in it.
    ///
    /// # Errors
    /// [`RuntimeError::NoLog`].
    pub async fn log(&self, lines: usize, follow: bool) -> Result<LogLines, RuntimeError> {
        let lines = lines.min(MOST_LOG_LINES);
        match self.supervision() {
            Supervision::Supervise(backend) => backend.log(self.name(), lines, follow).await,
            Supervision::Watch(_) => Err(RuntimeError::NoLog {
                sandbox: self.name().to_owned(),
                cause:
                    "something else runs it (runtime.kind is `adopt`), and has its log; look there"
                        .to_owned(),
            }),
        }
    }
}
