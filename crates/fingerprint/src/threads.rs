//! Starts the two threads, and ends them with the future that waits for them.

use crate::pass::{Listeners, Source, follow, lead};
use crate::relay::Relay;
use crate::{DigestState, Error};
use pipeline::{Md5, Sha3_512};
use std::path::Path;
use std::sync::Arc;
use tokio::task::{JoinError, spawn_blocking};

/// Both digests, behind what `state` has taken, with which `relay` has to begin; the SHA3-512 is not there when the MD5 settled it.
pub(crate) async fn hash(
    path: &Path,
    source: &Source,
    relay: &Arc<Relay>,
    state: DigestState,
    save: impl Fn(DigestState) + Send + Sync + 'static,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<(Md5, Option<Sha3_512>), Error> {
    let _stop = StopWhenDropped(relay);
    let (md5, sha3) = state.into_digests();
    // The leader is queued first, so that it runs also when the pool has a single thread left.
    let md5 = blocking(path, {
        let (source, relay) = (source.clone(), Arc::clone(relay));
        move || lead(&source, relay.leader(), md5)
    });
    let sha3_512 = blocking(path, {
        let (source, relay) = (source.clone(), Arc::clone(relay));
        move || follow(&source, relay.follower(), sha3, &Listeners { progress: &progress, save: &save })
    });
    let (md5, sha3_512) = tokio::try_join!(md5, sha3_512)?;
    Ok((md5.ok_or_else(|| Error::interrupted(path))?, sha3_512))
}

struct StopWhenDropped<'a>(&'a Relay);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Starts `work` at once on a thread that may block.
pub(crate) fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> impl Future<Output = Result<T, Error>> {
    let task = spawn_blocking(work);
    async move {
        match task.await.map_err(JoinError::try_into_panic) {
            Ok(result) => result,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(Err(_)) => Err(Error::interrupted(path)),
        }
    }
}
