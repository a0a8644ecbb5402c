//! What a connection may cost.

use crate::config;
use crate::local_executor::LocalExecutor;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::TcpListener;
use std::time::Duration;

/// How long a connection may be silent before the kernel asks whether the far end still lives:
/// a WebSocket has no other limit.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// Sets what the kernel is to do for accepted connections: they have it from their listener, so
/// that none costs a call.
pub(super) fn tune(listener: &TcpListener) -> io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE / 4);
    socket.set_tcp_keepalive(&keepalive)
}

/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 250;

/// Bytes of one of them, each way, that may wait here; hyper's own limits are a megabyte and 400 kB.
const STREAM_BYTES: u32 = 64 * 1024;

/// hyper's HTTP/1 with our limits.
pub(super) fn http1(config: &config::Server) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // The connection has clocks of its own.
        .header_read_timeout(None)
        // `FramingFilter` refuses larger heads, and never gives hyper a part of one to wait with.
        .max_buf_size(config.max_header_bytes + 8192)
        .preserve_header_case(true)
        .half_close(false);
    builder
}

/// Requests at once on one connection of another gateway, which are those of many clients.
const STREAMS_OF_GATEWAYS: u32 = 10_000;

/// The same of another gateway.
pub(super) fn http2_of_gateways(config: &config::Server) -> http2::Builder<LocalExecutor> {
    let mut builder = http2(config);
    builder
        .max_concurrent_streams(STREAMS_OF_GATEWAYS)
        .initial_stream_window_size(4 * STREAM_BYTES)
        .initial_connection_window_size(64 * STREAM_BYTES)
        .max_send_buf_size(4 * STREAM_BYTES as usize);
    builder
}

/// hyper's HTTP/2 with our limits.
pub(super) fn http2(config: &config::Server) -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(config.idle_secs))
        .keep_alive_timeout(Duration::from_secs(config.header_read_secs))
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_BYTES)
        .initial_connection_window_size(4 * STREAM_BYTES)
        .max_send_buf_size(STREAM_BYTES as usize)
        .max_header_list_size(u32::try_from(config.max_header_bytes).unwrap_or(u32::MAX));
    builder
}
