//! Measures the hypervisor beside its peers.

fn main() {}
