use crate::pass::Source;
use crate::relay::Relay;
use crate::threads::{blocking, hash};
use crate::{DigestState, Error, FileIdentity, Fingerprint};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Computes both digests of a file that somebody else is writing, close behind the writer.
///
/// `size` is how many bytes the file will have, and `ready` says how many of them, counted from the start, are in place. What
/// lies behind may be written in any order, and be preallocated. `ready` never goes back and ends at `size`; its sender may
/// be dropped then. The file must exist when this is called, and the bytes that `ready` has named must not change any more: that
/// is the writer's word, since the file's times move with every write. What is checked is the size at the end.
///
/// Otherwise as [`digest()`](crate::digest()): two threads, each byte read once, and `progress` gets the bytes that both have
/// hashed.
///
/// # Errors
/// When the file cannot be read, is a folder or a device, or does not have `size` bytes at the end; when `size` is 0; when the
/// sender of `ready` is dropped before all bytes are there ([`Error::Incomplete`]); or when `cancel` ends it.
pub async fn digest_growing(
    path: &Path,
    size: u64,
    ready: watch::Receiver<u64>,
    progress: impl Fn(u64) + Send + Sync + 'static,
    cancel: &CancellationToken,
) -> Result<Fingerprint, Error> {
    let relay = Arc::new(Relay::growing(size, cancel.child_token()));
    let work = async {
        if size == 0 {
            return Err(Error::Empty { path: path.to_owned() });
        }
        let name = path.to_owned();
        let file = Arc::new(blocking(path, move || open(&name)).await?);
        let source = Source::new(Arc::clone(&file) as _, path.to_owned());
        let hashes = hash(path, &source, &relay, DigestState::default(), |_| {}, progress);
        let ((md5, sha3_512), ()) = tokio::try_join!(hashes, announce(path, size, ready, &relay))?;
        let sha3_512 = sha3_512.ok_or_else(|| Error::interrupted(path))?;
        let name = path.to_owned();
        blocking(path, move || has_size(&file, size, &name)).await?;
        Ok(Fingerprint { size, md5, sha3_512 })
    };
    cancel.run_until_cancelled(work).await.unwrap_or_else(|| Err(Error::interrupted(path)))
}

/// Passes on what `ready` says, up to the end of the file.
async fn announce(
    path: &Path,
    size: u64,
    mut ready: watch::Receiver<u64>,
    relay: &Relay,
) -> Result<(), Error> {
    loop {
        let bytes = *ready.borrow_and_update();
        relay.ready(bytes);
        if bytes >= size {
            return Ok(());
        }
        if ready.changed().await.is_err() {
            return Err(Error::Incomplete { path: path.to_owned(), ready: bytes, size });
        }
    }
}

/// It may be empty yet, so it need not have an identity.
fn open(path: &Path) -> Result<File, Error> {
    FileIdentity::regular(path)?;
    File::open(path).map_err(Error::read(path))
}

fn has_size(file: &File, size: u64, path: &Path) -> Result<(), Error> {
    let now = file.metadata().map_err(Error::read(path))?.len();
    if now == size { Ok(()) } else { Err(Error::Changed { path: path.to_owned() }) }
}
