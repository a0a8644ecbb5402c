//! What it costs to know who is calling at a sandbox's own host: the check by itself, as a part of
//! what a request costs, and beside it that of a session's cookie, which it has in it.

use super::{requests, small};
use crate::fleet::Peer;
use crate::gateway::{Front, Gateway};
use crate::goal::{Bound, Goal};
use crate::load::Tools;
use crate::rounds;
use crate::settings::Settings;
use crate::table::{Figure, Table};
use crate::target::Target;
use crate::upstream;
use anyhow::{Context, Result};
use http::{HeaderMap, HeaderValue, header};
use hypervisor::auth::{Auth, Session};
use hypervisor::config::Config;
use hypervisor::store::Database;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const CHECKS: u32 = 200_000;

const FIGURES: &[Figure] = &[
    Figure::new("check ns", 0),
    Figure::new("session ns", 0),
    Figure::new("CPU ns/request", 0),
    Figure::new("share %", 2),
];

const GOALS: &[Goal] = &[Goal {
    figure: "share %",
    bound: Bound::AtMost(2.0),
    peers: &[],
}];

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let dir = tempfile::tempdir().context("make a folder")?;
    let upstream = upstream::start().await?;
    let gateway = Gateway::start(&settings.hypervisor, upstream.address(), Front::Plain).await?;
    let auth = auth(&gateway, &dir.path().join("copy.db")).await?;
    let target = Target {
        name: Peer::Hypervisor.name(),
        address: gateway.address(),
        host_name: gateway.host_name().to_owned(),
        tls: None,
        pids: vec![gateway.pid()],
        cookie: gateway.cookie().to_owned(),
        checks_session: true,
    };
    let (granted, session) = (headers(gateway.cookie())?, headers(gateway.session())?);
    let host = gateway.host_name();
    let (load, tools) = (small::load("session"), Tools::new(None)?);
    requests::check(&load, &target).await?;
    tools.run(&load, &target, requests::WARM_UP).await?;
    let title = "session: the check of who is calling, at 64 connections";
    let mut table = Table::new(title, FIGURES).with_goals(GOALS);
    rounds::run(settings, &mut table, &[target], async |target| {
        let mut measured = requests::measure(&load, &tools, target, settings.time()).await?;
        let granted = check(|| auth.granted(black_box(&granted), black_box(host)));
        let granted = granted.context("the grant is not known")?;
        let session = check(|| auth.session(black_box(&session)));
        // Its last but one figure is in seconds for 100,000 requests.
        let request = measured.values[3].map(|secs| secs * 1e4);
        let share = request.map(|request| granted / request * 100.0);
        measured.values = vec![Some(granted), session, request, share];
        Ok(measured)
    })
    .await?;
    Ok(vec![table])
}

/// The gateway's own module, over a copy of its store, with both in memory.
async fn auth(gateway: &Gateway, copy: &Path) -> Result<Arc<Auth>> {
    gateway.backup(copy).await?;
    let mut config = Config::default();
    config.server.listen = gateway.address();
    let auth = Auth::open(&config, Arc::new(Database::sqlite(copy)?)).await?;
    let session = auth.find_session(&headers(gateway.session())?).await?;
    session.context("the copy does not know the session")?;
    let granted = headers(gateway.cookie())?;
    let granted = auth.fetch_granted(&granted, gateway.host_name()).await?;
    granted.context("the copy does not know the grant")?;
    Ok(auth)
}

fn headers(cookie: &str) -> Result<HeaderMap> {
    let cookie = HeaderValue::from_str(cookie)?;
    Ok(HeaderMap::from_iter([(header::COOKIE, cookie)]))
}

/// Nanoseconds of one check.
fn check(find: impl Fn() -> Option<Arc<Session>>) -> Option<f64> {
    let begun = Instant::now();
    for _ in 0..CHECKS {
        black_box(find())?;
    }
    Some(begun.elapsed().as_secs_f64() * 1e9 / f64::from(CHECKS))
}
