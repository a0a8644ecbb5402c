//! Measures the hypervisor beside what one would pick in its place: `make bench`.
//!
//! Each case starts an upstream, the peers and the hypervisor on loopback, and puts one after
//! the other under the same load, round after round, so that what disturbs the machine for a
//! while disturbs all of them.

pub mod cases;
pub mod certificate;
pub mod client;
pub mod echo;
pub mod fill;
pub mod fleet;
pub mod frames;
pub mod gateway;
pub mod goal;
pub mod load;
pub mod machine;
pub mod proc;
pub mod progress;
pub mod report;
pub mod rounds;
pub mod server;
pub mod settings;
pub mod sockets;
pub mod stats;
pub mod table;
pub mod target;
pub mod threads;
pub mod upstream;
