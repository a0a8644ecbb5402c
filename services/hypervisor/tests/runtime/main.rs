//! The runtime's promises, kept by real processes and sockets.

// `cfg(test)`, so that clippy knows their helpers for tests too.
#[cfg(test)]
mod adopt;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod growth;
#[cfg(test)]
mod guardian;
#[cfg(test)]
mod idle;
#[cfg(test)]
mod process;
#[cfg(test)]
mod releases;
#[cfg(test)]
mod seal;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod volumes;
#[cfg(test)]
mod wellness;
