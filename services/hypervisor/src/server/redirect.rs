//! Sends people to where they wanted, over TLS: from plain HTTP, and from the host's other names.
//!
//! Where it leads is an origin of ours, the gateway's or a sandbox's, and never what a request
//! says, so that no link through here ends at a stranger's.

use super::acme;
use super::handler::Entrance;
use super::site;
use crate::Body;
use crate::config::Config;
use crate::routes::{Host, Routes};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use std::path::PathBuf;

/// Where people are sent, and from where.
pub(super) struct Redirect {
    /// As browsers write it.
    origin: String,
    /// Other names of this host, in lowercase.
    hosts: Vec<String>,
    /// Where an ACME client answers its challenges.
    acme_webroot: Option<PathBuf>,
}

impl Redirect {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            origin: config.origin().origin().ascii_serialization(),
            hosts: config.tls.redirect_hosts.clone(),
            acme_webroot: config.tls.acme_webroot.clone(),
        }
    }

    /// The response to a request that is not to go on from here.
    pub(super) fn response<B>(
        &self,
        request: &Request<B>,
        entrance: Entrance,
        routes: &Routes,
    ) -> Option<Response<Body>> {
        match entrance {
            Entrance::Http | Entrance::Gateway => None,
            Entrance::Https => self.for_other_host(request),
            Entrance::Redirect => {
                let sandbox = match site::of(request, routes) {
                    Host::Sandbox(workspace, role) => Some(workspace.site(role).origin.clone()),
                    Host::Elsewhere(workspace, role) => Some(workspace.site(role).origin.clone()),
                    Host::Gateway | Host::Unknown => None,
                };
                let sandbox = sandbox.as_ref().and_then(|origin| origin.to_str().ok());
                Some(self.over_plain_http(request, sandbox))
            }
        }
    }

    /// The response to a request over plain HTTP, for the host of a sandbox with this origin or
    /// for another: a challenge's, or 308.
    fn over_plain_http<B>(&self, request: &Request<B>, sandbox: Option<&str>) -> Response<Body> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let token = acme::token(request.uri()).filter(|_| reads);
        let mut response = match self.acme_webroot.as_deref().zip(token) {
            Some((webroot, token)) => acme::response(webroot, token),
            None => to_origin(sandbox.unwrap_or(&self.origin), request.uri()),
        };
        // There is nothing more to be had here, and the place is for those to come.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        response
    }

    /// 308, if the request is for another name of this host.
    fn for_other_host<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        let is_other = !self.hosts.is_empty()
            && site::name(request.uri(), request.headers()).is_some_and(|host| {
                let host = host.strip_suffix('.').unwrap_or(host);
                self.hosts
                    .iter()
                    .any(|other| other.eq_ignore_ascii_case(host))
            });
        is_other.then(|| to_origin(&self.origin, request.uri()))
    }
}

/// 308 keeps method and body, so that programs with an old address go on to work.
fn to_origin(origin: &str, uri: &Uri) -> Response<Body> {
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    // `OPTIONS *` has no path.
    let target = if target.starts_with('/') { target } else { "/" };
    let location = HeaderValue::try_from(format!("{origin}{target}"));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect() -> Redirect {
        Redirect {
            origin: "https://os.example:8443".into(),
            hosts: vec!["www.example".into(), "example".into()],
            acme_webroot: None,
        }
    }

    fn request(uri: &str, host: &str) -> Request<()> {
        let request = Request::builder().uri(uri).header("host", host);
        request.body(()).unwrap()
    }

    fn location(response: &Response<Body>) -> &str {
        assert_eq!(response.status(), 308);
        response.headers()["location"].to_str().unwrap()
    }

    #[test]
    fn no_request_says_where_it_is_sent() {
        for (target, path) in [
            ("/", "/"),
            ("/a?b=c&d=%0d%0aX:y", "/a?b=c&d=%0d%0aX:y"),
            ("//evil.example/x", "//evil.example/x"),
            ("/\\evil.example", "/\\evil.example"),
            ("http://evil.example/x?y", "/x?y"),
            ("http://evil.example", "/"),
            ("*", "/"),
            ("/@evil.example", "/@evil.example"),
            ("?x", "/"),
        ] {
            let Ok(uri) = target.parse::<Uri>() else {
                continue; // No server gets to see it.
            };
            let request = request(&uri.to_string(), "evil.example");
            for (sandbox, origin) in [
                (None, "https://os.example:8443"),
                (
                    Some("https://ada.os.example:8443"),
                    "https://ada.os.example:8443",
                ),
            ] {
                let response = redirect().over_plain_http(&request, sandbox);
                assert_eq!(location(&response), format!("{origin}{path}"));
                assert_eq!(response.headers()["connection"], "close");
            }
        }
    }

    #[test]
    fn only_the_other_names_of_this_host_are_sent_on_over_tls() {
        for (host, is_other) in [
            ("www.example", true),
            ("WWW.Example:443", true),
            ("example.", true),
            ("example:", true),
            ("os.example:8443", false),
            ("evil.example", false),
            ("www.example.evil", false),
            ("xwww.example", false),
            ("", false),
        ] {
            let response = redirect().for_other_host(&request("/x", host));
            assert_eq!(response.is_some(), is_other, "{host}");
        }
        // HTTP/2 names its host in the target.
        let http2 = redirect().for_other_host(&request("https://www.example/x?y", "os.example"));
        assert_eq!(location(&http2.unwrap()), "https://os.example:8443/x?y");
    }
}
