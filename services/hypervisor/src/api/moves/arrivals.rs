//! What a machine does for another one from which a workspace comes. The store says which one does.

use super::Api;
use crate::error::{HttpError, Payload};
use crate::forwarding::{VOLUME, pass, passable};
use crate::role::Role;
use crate::routes::{Arrival, ArriveError, Offer, OfferedReleases};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, StatusCode};
use hyper_util::rt::TokioIo;
use std::os::unix::net::UnixStream;
use tracing::{debug, warn};

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/arrivals/{workspace}/offer", post(offer))
        .route("/arrivals/{workspace}/volumes/{role}", post(volume))
        .route("/arrivals/{workspace}/arrive", post(arrive))
}

async fn offer(
    State(api): State<Api>,
    Path(workspace): Path<String>,
    Payload(offer): Payload<Offer>,
) -> Result<Json<OfferedReleases>, HttpError> {
    Ok(Json(api.routes.consider(&workspace, offer).await?))
}

/// The connection becomes a stream of the volume's data.
async fn volume(
    State(api): State<Api>,
    path: Result<Path<(String, Role)>, PathRejection>,
    mut request: Request,
) -> Result<Response, HttpError> {
    let Path((workspace, born)) = path?;
    if request.headers().get(UPGRADE) != Some(&HeaderValue::from_static(VOLUME)) {
        let said = format!("a volume comes over a connection that is upgraded to {VOLUME}");
        return Err(HttpError::new(
            StatusCode::UPGRADE_REQUIRED,
            "upgrade",
            said,
        ));
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let failed = |error: std::io::Error| {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        HttpError::new(status, "not_received", error.to_string())
    };
    let (near, far) = UnixStream::pair().map_err(failed)?;
    let far = passable(far).map_err(failed)?;
    tokio::spawn(async move {
        let passed = async {
            let stream = upgrade.await.map_err(std::io::Error::other)?;
            pass(TokioIo::new(stream), far).await
        };
        if let Err(error) = passed.await {
            debug!(%error, "a stream from another machine ended");
        }
    });
    tokio::spawn(async move {
        if let Err(error) = api.routes.receive(&workspace, born, near).await {
            warn!(workspace, %born, %error, "a volume was not received to its end");
        }
    });
    let headers = [(CONNECTION, "upgrade"), (UPGRADE, VOLUME)];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

async fn arrive(
    State(api): State<Api>,
    Path(workspace): Path<String>,
    Payload(arrival): Payload<Arrival>,
) -> Result<StatusCode, HttpError> {
    api.routes.arrive(&workspace, arrival).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ArriveError> for HttpError {
    fn from(error: ArriveError) -> Self {
        match error {
            ArriveError::Store(error) => error.into(),
            ArriveError::Runtime(error) => error.into(),
            ArriveError::NoRelease { .. } | ArriveError::NotExpected { .. } => {
                Self::new(StatusCode::CONFLICT, "not_taken", error.to_string())
            }
        }
    }
}
