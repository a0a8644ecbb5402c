//! What Prometheus' own tool says of both formats.

use crate::prometheus::promtool;
use crate::site::Site;
use http::Method;
use std::fmt::Write as _;

#[tokio::test]
async fn promtool_finds_nothing_wrong_with_the_text_format() {
    let site = Site::start("", |builder| builder).await;
    site.ada.client.get("/").await.unwrap();
    let response = site.gateway.client().get("/metrics").await.unwrap();
    let kind = response.header("content-type").unwrap();
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    promtool(&["check", "metrics"], &response.text());
}

#[tokio::test]
async fn promtool_reads_open_metrics() {
    let site = Site::start("", |builder| builder).await;
    site.ada.client.get("/").await.unwrap();
    let request = site.gateway.client().request(Method::GET, "/metrics");
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    let response = request.header("accept", accept).send().await.unwrap();
    let kind = response.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"));
    let page = response.text();
    assert!(page.ends_with("\n# EOF\n"), "{page}");
    // Its check knows the older format alone; its importer reads this one, of samples with a time.
    let mut timed = String::new();
    for line in page.lines() {
        let time = if line.starts_with('#') {
            ""
        } else {
            " 1700000000"
        };
        writeln!(timed, "{line}{time}").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metrics");
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let (from, to) = (file.to_str().unwrap(), folder.path().join("blocks"));
        let to = to.to_str().unwrap();
        crate::prometheus::run(&["tsdb", "create-blocks-from", "openmetrics", from, to], "")
    };
    let (good, said) = read(&timed);
    assert!(good, "{said}");
    let (good, _) = read(&timed.replace("{class=\"2xx\"}", "{class=2xx}"));
    assert!(!good, "it would take anything");
}
