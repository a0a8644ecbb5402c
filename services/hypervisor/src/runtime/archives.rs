//! Volumes that are put away and brought back, and sandboxes whose names become others'.

use super::supervision::Supervision;
use super::volumes::whole;
use super::{Runtime, RuntimeError, Sandbox, Spec};
use ::volumes::{Archived, Received, SendPass, Sent, SnapshotId};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

impl Sandbox {
    /// Puts its volume away as a whole, and removes its snapshots. It must be stopped, and is not
    /// started meanwhile. What was broken off before is finished.
    ///
    /// # Errors
    /// [`RuntimeError::NoRoom`], [`RuntimeError::Unsupported`], [`RuntimeError::Volume`]; the volume
    /// is wholly where it was, or wholly away.
    pub async fn archive(&self, id: &SnapshotId) -> Result<Archived, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id) = (self.spec().clone(), id.clone());
        let work = async move { volumes.archive(&spec, &id).await };
        self.at_rest(work).await
    }

    /// Makes what was put away its volume, which must be empty. As for the rest, as
    /// [`Sandbox::archive`].
    ///
    /// # Errors
    /// As there.
    pub async fn unarchive(&self, id: &SnapshotId) -> Result<Archived, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id) = (self.spec().clone(), id.clone());
        let work = async move { volumes.unarchive(&spec, &id).await };
        self.at_rest(work).await
    }

    /// Sends its volume to the machine at the other end of `stream`, which receives it as an archive
    /// of this id. Ahead it may run, and be changed in every way; for the last pass it must be
    /// stopped, and is not started meanwhile. A pass that broke off goes on where it was if it is
    /// begun again.
    ///
    /// # Errors
    /// [`RuntimeError::NoRoom`] if the other machine has none, [`RuntimeError::Unsupported`],
    /// [`RuntimeError::Volume`]; the volume is what it was.
    pub async fn send(
        &self,
        id: &SnapshotId,
        pass: SendPass,
        stream: UnixStream,
    ) -> Result<Sent, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id) = (self.spec().clone(), id.clone());
        let work = async move { volumes.send(&spec, &id, pass, stream).await };
        match pass {
            SendPass::Ahead => whole((), work).await,
            SendPass::Last => self.at_rest(work).await,
        }
    }

    /// Receives what [`Sandbox::send`] sends at the other end of `stream`, as an archive of this id.
    /// Its own volume stays as it is.
    ///
    /// # Errors
    /// [`RuntimeError::NoRoom`], [`RuntimeError::Unsupported`], [`RuntimeError::Volume`]; what came
    /// until then is not sent again.
    pub async fn receive(
        &self,
        id: &SnapshotId,
        stream: UnixStream,
    ) -> Result<Received, RuntimeError> {
        let volumes = self.kept()?;
        let (spec, id) = (self.spec().clone(), id.clone());
        whole((), async move { volumes.receive(&spec, &id, stream).await }).await
    }
}

impl Runtime {
    /// Knows nothing of this sandbox any longer, which is stopped: the next one of its name begins
    /// anew, whoever's it is. Whoever still has this handle can do nothing with it.
    pub async fn forget(&self, sandbox: &Arc<Sandbox>) {
        sandbox.retire().await;
        if let Supervision::Supervise(backend) = &*self.supervision {
            backend.forget(sandbox.spec());
        }
        self.sandboxes
            .remove_if(sandbox.name(), |_, known| Arc::ptr_eq(known, sandbox));
    }

    /// Removes an archive, of which the volume of this sandbox was a part. That there is none is well.
    ///
    /// # Errors
    /// [`RuntimeError::Unsupported`], [`RuntimeError::Volume`].
    pub async fn discard_archive(&self, spec: Spec, id: &SnapshotId) -> Result<(), RuntimeError> {
        let Supervision::Supervise(backend) = &*self.supervision else {
            return Err(RuntimeError::Unsupported(
                "runtime.kind is `adopt`: something else has the volumes, and their archives"
                    .to_owned(),
            ));
        };
        let (volumes, id) = (backend.volumes(), id.clone());
        whole((), async move { volumes.discard(&spec, &id).await }).await
    }
}
