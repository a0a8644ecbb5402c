//! What the proxy promises, each promise a test.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

/// Makes two tests of each of these functions, one for either path. What only hyper can do
/// (HTTP/2, upgrades, expectations, chunked uploads) tests the handing over as well.
macro_rules! on_both_paths {
    ($($test:ident),+ $(,)?) => {
        mod by_hyper {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::gateway::Path::Hyper).await;
            })+
        }
        mod by_the_fast_path {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::gateway::Path::Fast).await;
            })+
        }
    };
}

mod bodies;
mod cut;
mod differential;
mod endings;
mod expectations;
mod failures;
mod framing;
mod gateway;
mod heads;
mod long;
mod plain;
mod retries;
mod shared_origin;
mod upgrades;
