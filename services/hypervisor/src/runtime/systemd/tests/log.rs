//! What a sandbox wrote, as the host tells it.

use super::host::Host;
use crate::runtime::RuntimeError;
use futures_util::StreamExt as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

/// Has the host hear one question, and answer it so.
fn hear(
    host: &Host,
    answer: impl FnOnce(UnixStream) + Send + 'static,
) -> thread::JoinHandle<String> {
    let listener = UnixListener::bind(host.logs_socket()).unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut question = String::new();
        BufReader::new(&stream).read_line(&mut question).unwrap();
        answer(stream);
        question
    })
}

#[tokio::test]
async fn the_host_is_asked_for_so_many_lines_until_it_has_no_more() {
    let host = Host::with_orders("inactive").await;
    let heard = hear(&host, |mut stream| {
        stream.write_all(b"one\n\x1b[31mtwo\x1b[0m\n").unwrap();
        stream.write_all(&[b'x'; 3000]).unwrap();
    });
    let lines = host.sandbox().log(20, false).await.unwrap();
    let lines: Vec<String> = lines.collect().await;
    assert_eq!(heard.join().unwrap(), "sandbox-live 20 once\n");
    assert_eq!(lines[..2], ["one", "two"]);
    let lengths: Vec<_> = lines[2..].iter().map(String::len).collect();
    assert_eq!(lengths, [1024, 1024, 952]);
}

#[tokio::test]
async fn one_who_follows_hears_each_line_as_it_comes_and_the_host_hears_that_they_are_gone() {
    let host = Host::with_orders("inactive").await;
    let (next, wanted) = std::sync::mpsc::channel();
    let heard = hear(&host, move |mut stream| {
        for line in wanted {
            writeln!(stream, "{line}").unwrap();
        }
        // Until the gateway has hung up, which a write says in the end.
        while stream.write_all(b"more\n").is_ok() {}
    });
    let mut lines = host.sandbox().log(5000, true).await.unwrap();
    for line in ["first", "second"] {
        next.send(line).unwrap();
        assert_eq!(lines.next().await.unwrap(), line);
    }
    drop((next, lines));
    assert_eq!(heard.join().unwrap(), "sandbox-live 1000 follow\n");
}

#[tokio::test]
async fn a_host_that_tells_no_logs_is_said_to_be_one() {
    let host = Host::with_orders("inactive").await;
    let error = host.sandbox().log(1, false).await.err().unwrap();
    assert!(matches!(error, RuntimeError::NoLog { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("runtime.logs_socket"), "{said}");
}
