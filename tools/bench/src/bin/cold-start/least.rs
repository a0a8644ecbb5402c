//! The least that a sandbox can be: it listens, and says who it is.

use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpListener;

/// Serves there until it is killed.
///
/// # Errors
/// It cannot listen.
pub fn serve(listen: &OsStr) -> Result<()> {
    let listener = TcpListener::bind(listen.to_str().context("an address")?)?;
    let name = std::env::var("SANDBOX_NAME")?;
    let role = std::env::var("SANDBOX_INSTANCE_ROLE")?;
    let body =
        format!(r#"{{"service":"choiros-sandbox","name":"{name}","instance_role":"{role}"}}"#);
    let length = body.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    for stream in listener.incoming() {
        let mut stream = stream?;
        // Whoever left before the answer is no reason to end.
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(answer.as_bytes());
    }
    Ok(())
}
