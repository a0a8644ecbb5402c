//! Where a test lets this program die.

/// With the feature `fail-points`: dies here, as by SIGKILL, when told to.
#[cfg(feature = "fail-points")]
pub(super) fn fail_point(step: &str) {
    if std::env::var("FAIL_POINT").is_ok_and(|at| at == step) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort(); // SIGKILL may take a moment to arrive; nothing more may happen.
    }
}

#[cfg(not(feature = "fail-points"))]
pub(super) fn fail_point(_step: &str) {}
