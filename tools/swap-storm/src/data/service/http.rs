//! What the data service answers. Each answer says which run gives it.

use super::super::record::Key;
use super::Service;
use super::feed;
use super::store::Written;
use crate::data::release::Fault;
use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use tokio::net::TcpStream;

pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// One connection, until its end or the service's.
pub(super) async fn serve(stream: TcpStream, service: Arc<Service>) {
    let _ = stream.set_nodelay(true);
    let mut ending = service.ending.subscribe();
    let answers = service_fn(|request| answer(request, service.clone()));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answers);
    let mut served = pin!(served.with_upgrades());
    tokio::select! {
        _ = &mut served => return,
        _ = ending.wait_for(|ending| *ending) => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

async fn answer(
    request: Request<Incoming>,
    service: Arc<Service>,
) -> Result<Response<Body>, Infallible> {
    if service.release.fault == Some(Fault::Hang) {
        return std::future::pending().await;
    }
    let mut response = route(request, &service)
        .await
        .unwrap_or_else(|error| said(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")));
    if let Ok(run) = HeaderValue::try_from(service.run.to_string()) {
        response.headers_mut().insert("x-run", run);
    }
    Ok(response)
}

async fn route(request: Request<Incoming>, service: &Arc<Service>) -> Result<Response<Body>> {
    let uri = request.uri().clone();
    let after = uri.query().and_then(|query| query.strip_prefix("after="));
    let after: u64 = after.unwrap_or("0").parse()?;
    let (_, first) = uri.path().split_at_checked(1).context("a path")?;
    let (first, rest) = first.split_once('/').unwrap_or((first, ""));
    match (request.method(), first) {
        (&Method::GET, "health") => Ok(health(service)),
        (&Method::POST, "records") => {
            let key = Key::of(rest).context("a client and a number")?;
            let text = request.into_body().collect().await?.to_bytes();
            let text = String::from_utf8(text.into())?;
            Ok(match service.store.write(key, text.clone()).await? {
                Written::Stored(stored) => said(StatusCode::OK, stored.line(&text)),
                Written::Gap => said(StatusCode::CONFLICT, "the one before is not there"),
            })
        }
        (&Method::GET, "records") => {
            let filter = "client = ?1 AND number > ?2 ORDER BY number";
            let lines = service.store.lines(filter, (rest.parse()?, after));
            Ok(said(StatusCode::OK, lines.await?))
        }
        (&Method::GET, "files") => {
            let numbers = service.store.files(rest.parse()?).await?;
            let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
            Ok(said(StatusCode::OK, numbers.join(" ")))
        }
        (&Method::GET, "check") => {
            service.store.check().await?;
            Ok(said(StatusCode::OK, "whole"))
        }
        (&Method::GET, "events") => Ok(feed::events(service, after)),
        (&Method::GET, "ws") => feed::websocket(request, service, after),
        _ => Ok(said(StatusCode::OK, "the data service")),
    }
}

fn health(service: &Service) -> Response<Body> {
    if service.release.fault == Some(Fault::Sick) {
        return said(StatusCode::SERVICE_UNAVAILABLE, "this release is sick");
    }
    let page = json!({
        "status": "healthy", "service": "choiros-sandbox", "version": service.run.release.to_string(),
        "name": service.name, "instance_role": service.role, "hostname": "storm",
    });
    said(StatusCode::OK, page.to_string())
}

fn said(status: StatusCode, words: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(words.into()).boxed_unsync());
    *response.status_mut() = status;
    response
}
