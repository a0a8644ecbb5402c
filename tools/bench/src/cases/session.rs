//! What it costs to know who is calling: the check by itself, as a part of what a request costs.

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
use hypervisor::auth::Auth;
use hypervisor::config::Config;
use hypervisor::store::Sqlite;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const CHECKS: u32 = 200_000;

const FIGURES: &[Figure] = &[
    Figure::new("check ns", 0),
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
        tls: None,
        pids: vec![gateway.pid()],
        cookie: gateway.cookie().to_owned(),
        checks_session: true,
    };
    let (load, tools) = (small::load("session"), Tools::new(None)?);
    requests::check(&load, &target).await?;
    tools.run(&load, &target, requests::WARM_UP).await?;
    let title = "session: the check of a session, at 64 connections";
    let mut table = Table::new(title, FIGURES).with_goals(GOALS);
    rounds::run(settings, &mut table, &[target], async |target| {
        let mut measured = requests::measure(&load, &tools, target, settings.time()).await?;
        let check = check(&auth, &target.cookie).context("the session is not known")?;
        // Its last but one figure is in seconds for 100,000 requests.
        let request = measured.values[3].map(|secs| secs * 1e4);
        let share = request.map(|request| check / request * 100.0);
        measured.values = vec![Some(check), request, share];
        Ok(measured)
    })
    .await?;
    Ok(vec![table])
}

/// The gateway's own module, over a copy of its store.
async fn auth(gateway: &Gateway, copy: &Path) -> Result<Arc<Auth>> {
    gateway.backup(copy).await?;
    let auth = Auth::open(&Config::default(), Arc::new(Sqlite::open(copy)?)).await?;
    let cookie = HeaderValue::from_str(gateway.cookie())?;
    let headers = HeaderMap::from_iter([(header::COOKIE, cookie)]);
    auth.find_session(&headers).await?;
    Ok(auth)
}

/// Nanoseconds of one check.
fn check(auth: &Auth, cookie: &str) -> Option<f64> {
    let cookie = HeaderValue::from_str(cookie).ok()?;
    let headers = HeaderMap::from_iter([(header::COOKIE, cookie)]);
    let begun = Instant::now();
    for _ in 0..CHECKS {
        black_box(auth.session(black_box(&headers)))?;
    }
    Some(begun.elapsed().as_secs_f64() * 1e9 / f64::from(CHECKS))
}
