//! What a sandbox may answer to its probe, where it may listen, and which option a failing
//! probe names.

use super::bench::{Bench, get, spec, until_status};
use hypervisor::config::{Address, RuntimeKind};
use hypervisor::runtime::{Sandbox, Spec, Status};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

/// Answers every request with the same bytes, and remembers the last one.
struct Service {
    address: SocketAddr,
    asked: Arc<Mutex<String>>,
}

impl Service {
    fn at(listener: TcpListener, response: &str) -> Self {
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(String::new()));
        let (last, response) = (Arc::clone(&asked), response.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut bytes = [0; 4096];
                let count = stream.read(&mut bytes).unwrap_or_default();
                *last.lock().unwrap() = String::from_utf8_lossy(&bytes[..count]).into_owned();
                let _ = stream.write_all(response.as_bytes());
            }
        });
        Self { address, asked }
    }

    fn that_says(response: &str) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), response)
    }
}

fn adopting() -> Bench {
    Bench::with(|config| config.runtime.kind = RuntimeKind::Adopt)
}

/// A sandbox of this bench without an identity of its own.
fn guest(bench: &Bench, address: impl Into<Address>, change: impl Fn(&mut Spec)) -> Arc<Sandbox> {
    let mut spec = spec("guest");
    spec.declared.address = Some(address.into());
    spec.declared.identity = false;
    change(&mut spec);
    bench.runtime.sandbox(spec)
}

#[tokio::test]
async fn any_2xx_is_well() {
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 299 Why Not\r\nContent-Length: 0\r\n\r\n",
    ] {
        let service = Service::that_says(response);
        let bench = adopting();
        let sandbox = guest(&bench, service.address, |_| ());
        sandbox
            .ready()
            .await
            .unwrap_or_else(|error| panic!("{response}: {error}"));
    }
}

#[tokio::test]
async fn another_status_is_well_if_it_is_named_and_no_other_then() {
    let moved = "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n";
    let service = Service::that_says(moved);
    let bench = adopting();
    let wanted = guest(&bench, service.address, |spec| {
        spec.declared.health_status = Some(302);
    });
    wanted.ready().await.unwrap();

    let fine = Service::that_says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let bench = adopting();
    let sandbox = guest(&bench, fine.address, |spec| {
        spec.declared.health_status = Some(302);
    });
    let error = sandbox.ready().await.unwrap_err().to_string();
    assert!(error.contains("health_status wants 302"), "{error}");
}

#[tokio::test]
async fn a_failing_probe_names_the_option_that_mends_it() {
    let stranger = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
    for (response, identity, option) in [
        (
            "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
            false,
            "health_status = 302",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
            false,
            "health_path",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            false,
            "health_path",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            false,
            "health_host",
        ),
        (
            "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n",
            false,
            "health_host",
        ),
        (
            "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
            false,
            "health_path",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", true, "identity = false"),
        (stranger, true, "identity = false"),
    ] {
        let service = Service::that_says(response);
        let bench = adopting();
        let sandbox = guest(&bench, service.address, |spec| {
            spec.declared.identity = identity;
        });
        let error = sandbox.ready().await.unwrap_err().to_string();
        assert!(error.contains(option), "{response}: {error}");
    }
}

#[tokio::test]
async fn it_is_asked_by_the_host_that_it_answers_to() {
    let fine = "HTTP/1.1 204 No Content\r\n\r\n";
    let service = Service::that_says(fine);
    let port = service.address.port();
    let host = |name: &str| name.to_owned();
    for (address, given, asked) in [
        (
            Address::Exact(service.address),
            None,
            service.address.to_string(),
        ),
        (Address::Localhost(port), None, format!("localhost:{port}")),
        (
            Address::Localhost(port),
            Some("app.example"),
            host("app.example"),
        ),
        (
            Address::Exact(service.address),
            Some("localhost"),
            host("localhost"),
        ),
    ] {
        let bench = adopting();
        let change = |spec: &mut Spec| spec.declared.health_host = given.map(host);
        guest(&bench, address, change).ready().await.unwrap();
        let request = service.asked.lock().unwrap().clone();
        assert!(request.contains(&format!("host: {asked}\r\n")), "{request}");
    }
}

#[tokio::test]
async fn one_that_listens_in_one_family_alone_is_found_there() {
    for place in ["127.0.0.1:0", "[::1]:0"] {
        let listener = TcpListener::bind(place).unwrap();
        let service = Service::at(listener, "HTTP/1.1 204 No Content\r\n\r\n");
        let bench = adopting();
        let port = service.address.port();
        let sandbox = guest(&bench, Address::Localhost(port), |_| ());
        sandbox.ready().await.unwrap();
        assert_eq!(sandbox.enter().unwrap().address(), service.address);
    }
}

#[tokio::test]
async fn where_neither_family_answers_both_are_named() {
    let port = TcpListener::bind("[::1]:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let bench = adopting();
    let sandbox = guest(&bench, Address::Localhost(port), |_| ());
    let error = sandbox.ready().await.unwrap_err().to_string();
    for place in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        assert!(error.contains(&place), "{error}");
    }
}

#[tokio::test]
async fn an_exact_address_is_no_other() {
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let service = Service::at(listener, "HTTP/1.1 204 No Content\r\n\r\n");
    let bench = adopting();
    let there = SocketAddr::from(([127, 0, 0, 1], service.address.port()));
    let sandbox = guest(&bench, there, |_| ());
    sandbox.ready().await.unwrap_err();
    until_status(&sandbox, Status::Failed).await;
}

#[tokio::test]
async fn a_child_that_listens_on_ipv6_alone_is_reached_there() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["ipv6"]);
    sandbox.ready().await.unwrap();
    let address = sandbox.enter().unwrap().address();
    assert!(address.is_ipv6(), "{address}");
    assert!(get(address).unwrap().contains("200 OK"));
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_declared_port_is_taken_if_it_is_in_either_family() {
    for place in ["127.0.0.1:0", "[::1]:0"] {
        let other = TcpListener::bind(place).unwrap();
        let address = other.local_addr().unwrap();
        let bench = Bench::with(|config| config.runtime.max_restarts = 1);
        bench.set("one", &[]);
        let mut spec = spec("one");
        spec.declared.address = Some(Address::Localhost(address.port()));
        let error = bench.runtime.sandbox(spec).ready().await.unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(&format!("cannot listen at {address}")),
            "{error}"
        );
        bench.runtime.shutdown().await;
    }
}
