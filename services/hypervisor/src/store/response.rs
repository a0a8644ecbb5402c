//! What is answered while the store is not to be had.

use super::StoreError;
use crate::error::HttpError;
use http::StatusCode;

impl From<StoreError> for HttpError {
    fn from(error: StoreError) -> Self {
        // What the disk or SQLite says is for the operator alone.
        tracing::error!(%error, "the store failed");
        let told = |said: String| {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", said).retry_after(5)
        };
        if matches!(error, StoreError::Undecided) {
            return told(error.to_string());
        }
        told(
            "the server cannot read or write its store just now; nothing was changed. Try again, and tell the operator if it stays so"
                .into(),
        )
        .but_to_operator(told(format!("{error}. Nothing was changed")))
    }
}
