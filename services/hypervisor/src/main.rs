//! The `hypervisor` binary.

fn main() {}
