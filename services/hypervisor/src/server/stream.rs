//! A client's connection: over TCP, or over a Unix socket, at whose other end is a proxy.

use std::io;
use tokio::net::{TcpStream, UnixStream};
use tokio_util::either::Either;

/// A client's connection.
pub type Stream = Either<TcpStream, UnixStream>;

/// Writes what there is room for, without waiting.
pub(super) fn try_write(stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
    match stream {
        Either::Left(tcp) => tcp.try_write(bytes),
        Either::Right(unix) => unix.try_write(bytes),
    }
}
