//! Measures the hypervisor beside nginx and HAProxy: `make bench`.
//!
//! Each case starts an upstream, both peers and the hypervisor on loopback, and puts one after
//! the other under the same load, round after round, so that what disturbs the machine for a
//! while disturbs all of them.

pub mod cases;
pub mod echo;
pub mod files;
pub mod fleet;
pub mod frames;
pub mod gateway;
pub mod goal;
pub mod http_case;
pub mod load;
pub mod machine;
pub mod peers;
pub mod proc;
pub mod progress;
pub mod report;
pub mod rounds;
pub mod runs;
pub mod settings;
pub mod sockets;
pub mod stats;
pub mod table;
pub mod target;
pub mod upstream;
