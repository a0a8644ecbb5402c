//! The `hypervisor` binary.

use hypervisor::runtime::guardian;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    // Before anything else: a guardian stands in the way of every cold start.
    if args.next().is_some_and(|first| first == guardian::ARGUMENT) {
        return guardian::run(args);
    }
    hypervisor::cli::run()
}
