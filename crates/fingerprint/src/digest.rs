use crate::pass::Source;
use crate::{Error, FileIdentity};
use pipeline::{Md5, Sha3_512};
use sha3::digest::Output;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;

/// Size and digests of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Size in bytes.
    pub size: u64,
    /// MD5.
    pub md5: Md5,
    /// SHA3-512.
    pub sha3_512: Sha3_512,
}

/// Digests that a file should have. One that is not there is not compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// MD5.
    pub md5: Option<Md5>,
    /// SHA3-512.
    pub sha3_512: Option<Sha3_512>,
}

impl Expected {
    /// What comparing these with known digests comes to.
    #[must_use]
    pub fn compare(self, fingerprint: Fingerprint) -> Comparison {
        if self.md5.is_some_and(|md5| md5 != fingerprint.md5) {
            Comparison::Md5Differs { md5: fingerprint.md5 }
        } else if self.sha3_512.is_some_and(|sha3_512| sha3_512 != fingerprint.sha3_512) {
            Comparison::Sha3Differs { fingerprint }
        } else {
            Comparison::Equal { fingerprint }
        }
    }
}

/// What comparing a file with [`Expected`] digests came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The MD5 is another one; SHA3-512 was not computed to the end.
    Md5Differs {
        /// The file's MD5.
        md5: Md5,
    },
    /// Only the SHA3-512 is another one.
    Sha3Differs {
        /// The file's digests.
        fingerprint: Fingerprint,
    },
    /// Nothing that was expected differs.
    Equal {
        /// The file's digests.
        fingerprint: Fingerprint,
    },
}

/// Reads a file and computes both digests.
///
/// Two threads share one pass of the disk. MD5 leads and reads; SHA3-512 comes behind with reads of its own, which the
/// page cache serves because the leader has just filled it. SHA3-512 is three to five times slower (`baselines.md §3`):
/// in lock step over shared buffers it would hold MD5 back to its own pace, and "a different MD5 ends it at once" would be
/// worth nothing. It also keeps memory at two small buffers, however far the two are apart.
///
/// `progress` gets the bytes that the slower side has hashed, every few MiB and at the end. Cancelling, or dropping the
/// future, stops both threads within one buffer.
///
/// # Errors
/// When the file cannot be read, is no file that can be sent, or changed meanwhile; or when `cancel` ends it.
pub async fn digest(
    path: &Path,
    progress: impl Fn(u64) + Send + Sync + 'static,
    cancel: &CancellationToken,
) -> Result<(Fingerprint, FileIdentity), Error> {
    let Digests { identity, md5, sha3_512 } = digests(path, None, progress, cancel).await?;
    // Without an expected MD5, nothing but a stop leaves it out.
    let sha3_512 = sha3_512.ok_or_else(|| Error::Interrupted { path: path.to_owned() })?;
    Ok((Fingerprint { size: identity.size, md5, sha3_512 }, identity))
}

/// Reads a file and compares its digests; a different MD5 ends the SHA3-512 at once. Otherwise as [`digest()`].
///
/// A size that is known should be compared before: that costs no read.
///
/// # Errors
/// As [`digest()`].
pub async fn compare_with(
    path: &Path,
    expected: Expected,
    progress: impl Fn(u64) + Send + Sync + 'static,
    cancel: &CancellationToken,
) -> Result<Comparison, Error> {
    let Digests { identity, md5, sha3_512 } = digests(path, expected.md5, progress, cancel).await?;
    if expected.md5.is_some_and(|expected| expected != md5) {
        return Ok(Comparison::Md5Differs { md5 });
    }
    let sha3_512 = sha3_512.ok_or_else(|| Error::Interrupted { path: path.to_owned() })?;
    let fingerprint = Fingerprint { size: identity.size, md5, sha3_512 };
    Ok(match expected.sha3_512 {
        Some(expected) if expected != sha3_512 => Comparison::Sha3Differs { fingerprint },
        _ => Comparison::Equal { fingerprint },
    })
}

struct Digests {
    identity: FileIdentity,
    md5: Md5,
    /// Not there when the MD5 is not the expected one.
    sha3_512: Option<Sha3_512>,
}

async fn digests(
    path: &Path,
    expected: Option<Md5>,
    progress: impl Fn(u64) + Send + Sync + 'static,
    cancel: &CancellationToken,
) -> Result<Digests, Error> {
    let stop = cancel.child_token();
    let _stop_when_dropped = stop.clone().drop_guard();
    let interrupted = || Error::Interrupted { path: path.to_owned() };
    let work = async {
        let name = path.to_owned();
        let source = Arc::new(blocking(path, move || Source::open(name)).await?);
        let (position, leader) = mpsc::channel();
        // The leader is queued first, so that it runs also when the pool has a single thread left.
        let md5 = blocking(path, {
            let (source, stop) = (Arc::clone(&source), stop.clone());
            move || lead(&source, &stop, expected, &position)
        });
        let sha3_512 = blocking(path, {
            let (source, stop) = (Arc::clone(&source), stop.clone());
            move || follow(&source, &stop, &progress, &leader)
        });
        let (md5, sha3_512) = tokio::try_join!(md5, sha3_512)?;
        let md5 = to_md5(&md5.ok_or_else(interrupted)?);
        let sha3_512 = sha3_512.map(|digest| Sha3_512::from_bytes(digest.into()));
        let identity = blocking(path, move || source.unchanged()).await?;
        Ok(Digests { identity, md5, sha3_512 })
    };
    cancel.run_until_cancelled(work).await.unwrap_or_else(|| Err(interrupted()))
}

// The two passes are plain functions, neither generic nor async, so that the hashing is compiled in this crate, which the
// development profile optimises. Generic and async functions are compiled by who calls and who polls them.

fn lead(
    source: &Source,
    stop: &CancellationToken,
    expected: Option<Md5>,
    position: &Sender<u64>,
) -> Result<Option<Output<md5::Md5>>, Error> {
    let agrees = |md5: &_| expected.is_none_or(|expected| expected == to_md5(md5));
    source.lead::<md5::Md5>(|| stop.is_cancelled(), agrees, position)
}

fn follow(
    source: &Source,
    stop: &CancellationToken,
    progress: &dyn Fn(u64),
    leader: &Receiver<u64>,
) -> Result<Option<Output<sha3::Sha3_512>>, Error> {
    source.follow::<sha3::Sha3_512>(|| stop.is_cancelled(), progress, leader)
}

fn to_md5(digest: &Output<md5::Md5>) -> Md5 {
    Md5::from_bytes((*digest).into())
}

/// Starts `work` at once on a thread that may block.
fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> impl Future<Output = Result<T, Error>> {
    let task = spawn_blocking(work);
    async move {
        match task.await.map_err(JoinError::try_into_panic) {
            Ok(result) => result,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(Err(_)) => Err(Error::Interrupted { path: path.to_owned() }),
        }
    }
}
