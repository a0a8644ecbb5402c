//! The `hypervisor` binary.

use hypervisor::database_check;
use hypervisor::runtime::guardian;
use std::process::ExitCode;

/// A request makes and drops some dozens of small values; this one takes the least time over them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    // Before anything else: a guardian stands in the way of every cold start.
    match args.next() {
        Some(first) if first == guardian::ARGUMENT => guardian::run(args),
        Some(first) if first == database_check::ARGUMENT => database_check::run(args),
        _ => hypervisor::cli::run(),
    }
}
