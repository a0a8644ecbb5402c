//! Who is removed leaves an archive, and nothing else: whenever the program is killed, what they wrote
//! is wholly there or wholly in their workspace, and whoever comes next finds nothing of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

#[cfg(test)]
mod at_once;
#[cfg(all(test, feature = "fail-points"))]
mod kills;
#[cfg(test)]
mod life;
#[cfg(test)]
mod rule;
#[cfg(test)]
mod world;
