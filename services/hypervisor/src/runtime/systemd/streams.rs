//! Sockets on which the unit that copies volumes takes a stream from here: it has no network of its
//! own, and what comes from other machines is for the gateway to let in.

use crate::runtime::{RuntimeError, Spec};
use crate::unix_socket;
use ::volumes::SnapshotId;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use tokio::io::{AsyncWriteExt as _, copy};
use tokio::net;

/// Where it listens for the unit, as long as this is there.
pub(super) struct Socket {
    path: PathBuf,
    listener: net::UnixListener,
}

impl Socket {
    /// In `<folder>/<sandbox>/<id>`.
    pub(super) fn open(
        folder: Option<&PathBuf>,
        spec: &Spec,
        id: &SnapshotId,
    ) -> Result<Self, RuntimeError> {
        let folder = folder.ok_or_else(|| {
            RuntimeError::Unsupported(
                "runtime.streams_dir is not set, so no volume goes to another machine or comes from one; set it".to_owned(),
            )
        })?;
        let path = folder.join(&spec.name).join(id.as_str());
        let failed = |error: io::Error| {
            let path = path.display();
            RuntimeError::Volume(format!(
                "cannot listen on {path} ({error}); mend runtime.streams_dir"
            ))
        };
        let listener = unix_socket::listener(&path, 0o600).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = net::UnixListener::from_std(listener).map_err(failed)?;
        Ok(Self { path, listener })
    }

    /// Passes on what the unit and the other end say, until the unit has no more to say.
    pub(super) async fn carry(&self, stream: UnixStream) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        let (from_there, mut to_there) = net::UnixStream::from_std(stream)?.into_split();
        let (unit, _) = self.listener.accept().await?;
        let (from_unit, mut to_unit) = unit.into_split();
        let into = async {
            let (mut from, to) = (from_there, &mut to_unit);
            copy(&mut from, to).await?;
            to.shutdown().await
        };
        let out = async {
            let (mut from, to) = (from_unit, &mut to_there);
            copy(&mut from, to).await?;
            to.shutdown().await
        };
        tokio::pin!(into, out);
        tokio::select! {
            ended = &mut out => ended,
            // The unit may still have something to say.
            _ = &mut into => out.await,
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
