//! Unix sockets that this program makes by itself.

use rustix::fs::{Mode, fchmod};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::net::{bind, connect, listen, socket_with};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;

/// Bytes of the longest path that a Unix socket can have.
pub(crate) const LONGEST_PATH: usize = 107;

/// Connections that may wait to be accepted, as far as `net.core.somaxconn` allows. As systemd
/// does it: more than the customary 128, since the kernel lets one above that knock for a second.
pub(crate) const BACKLOG: i32 = 4096;

/// Listens on `path`, where at no moment anyone beyond `mode` can connect. What a dead server
/// left there is replaced.
///
/// # Errors
/// There is something that is no socket, or one that somebody listens on; or what the system says.
pub(crate) fn listener(path: &Path, mode: u32) -> io::Result<UnixListener> {
    clear(path)?;
    let address = SocketAddrUnix::new(path)?;
    let socket = stream()?;
    // Counts for the file that binding makes, less what the umask takes.
    fchmod(&socket, Mode::from_raw_mode(mode))?;
    bind(&socket, &address)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// Removes a socket that nobody listens on, and nothing else.
fn clear(path: &Path) -> io::Result<()> {
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    if !there.file_type().is_socket() {
        let said = format!(
            "{} is there and is no socket; remove it, or give another path",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, said));
    }
    match connect(&stream()?, &SocketAddrUnix::new(path)?) {
        Err(Errno::CONNREFUSED) => fs::remove_file(path),
        Err(Errno::NOENT) => Ok(()),
        // Full is not dead.
        Ok(()) | Err(Errno::AGAIN) => {
            let said = format!(
                "another hypervisor answers on {}, or something else does; stop it first, or give another path",
                path.display()
            );
            Err(io::Error::new(io::ErrorKind::AddrInUse, said))
        }
        Err(error) => Err(error.into()),
    }
}

fn stream() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_dead_servers_socket_is_replaced_and_a_living_ones_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("http.sock");
        let first = listener(&path, 0o660).unwrap();
        assert_eq!(mode(&path), 0o660);
        let said = listener(&path, 0o660).unwrap_err().to_string();
        assert!(said.contains("stop it first"), "{said}");
        UnixStream::connect(&path).unwrap();
        drop(first);
        let _second = listener(&path, 0o600).unwrap();
        assert_eq!(mode(&path), 0o600);
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn one_with_no_room_for_another_connection_lives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("http.sock");
        let full = listener(&path, 0o660).unwrap();
        listen(&full, 0).unwrap();
        let address = SocketAddrUnix::new(&path).unwrap();
        let waiting: Vec<_> = std::iter::repeat_with(|| stream().unwrap())
            .take_while(|it| connect(it, &address).is_ok())
            .collect();
        assert!(!waiting.is_empty());
        let said = listener(&path, 0o660).unwrap_err().to_string();
        assert!(said.contains("stop it first"), "{said}");
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "precious").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            let said = listener(path, 0o660).unwrap_err().to_string();
            assert!(said.contains("is no socket"), "{said}");
            assert_eq!(fs::read_to_string(path).unwrap(), "precious");
        }
    }
}
