//! The engine: one file from an address into its place. It knows nothing of Jamf Pro.

use crate::address::{AddressSource, Addresses};
use crate::journal::Header;
use crate::proof::{self, Proof};
use crate::ranges::{Cut, Done};
use crate::request::Limits;
use crate::scratch::{Opened, Paths, Scratch};
use crate::transfer::{Meter, Transfer};
use crate::{Error, disk};
use fingerprint::Fingerprint;
use pipeline::{Activity, Context, Diagnose as _, FailureKind, FileName, Md5, Sha3_512, size};
use std::io;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// Ranges of this size are what the user's documents ask for (`jamf-pro-api.md §10`).
const RANGE_SIZE: u64 = 20 << 20;

/// What is to be fetched, as the list tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, for messages and for the journal.
    pub name: FileName,
    /// Its size in bytes; not 0.
    pub size: u64,
    /// Its MD5, if that is known.
    pub md5: Option<Md5>,
    /// Its SHA3-512, if that is known.
    pub sha3_512: Option<Sha3_512>,
}

/// How it is to be fetched.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many ranges are fetched at a time.
    pub concurrency: NonZeroUsize,
    /// Bytes of a range. An unfinished download goes on only with the same.
    pub range_size: NonZeroU64,
    /// A range of which less than 16 KiB come for so long is asked for anew.
    pub stall: Duration,
    /// Whether a file at the target is replaced.
    pub overwrite: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: const { NonZeroUsize::new(4).unwrap() },
            range_size: const { NonZeroU64::new(RANGE_SIZE).unwrap() },
            stall: Duration::from_secs(30),
            overwrite: false,
        }
    }
}

/// A file is in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes that an earlier run had fetched.
    pub kept: u64,
    /// How the file was compared with what was wanted.
    pub proof: Proof,
    /// Its digests, if there was one to compare.
    pub fingerprint: Option<Fingerprint>,
}

/// Fetches a file into `target`, or leaves there what was there.
///
/// Ranges come side by side and are written straight into place in `TARGET.part`, which has its full size from the
/// beginning on; `TARGET.part.ranges` notes each that is in place. When all are, their digests are compared, the bytes
/// are made safe on the disk, and the file gets its name. Whenever this ends early, a later call goes on with what is
/// there, unless the file is another one by then. Memory does not grow with the file.
///
/// A wanted file without digests is fetched and not proven: [`Proof::None`].
///
/// # Errors
/// When the target is there already and is not to be replaced, or another download to it is at work; when the disk is too
/// small, before the first request; when bytes do not come, retries included, or are the wrong ones; when the context is
/// cancelled.
pub async fn fetch(
    source: &impl AddressSource,
    wanted: &Wanted,
    target: &Path,
    options: &Options,
    cx: &Context,
) -> Result<Fetched, Error> {
    if wanted.size == 0 {
        return Err(Error::NoSize { file: wanted.name.clone() });
    }
    if !options.overwrite && disk::is_there(target) {
        return Err(Error::Appeared { target: target.to_owned() });
    }
    let Opened { scratch, done, anew } = open(wanted, target, options).await?;
    if let Some(why) = anew {
        cx.warn(format!("an earlier download to {} does not count: {why}; starting anew", target.display()));
    }
    let kept = done.bytes();
    if kept > 0 {
        cx.info(format!("{} of {} are here already", size(kept), size(wanted.size)));
    }
    let (result, in_place) = fill(source, wanted, &scratch, done, options, cx).await;
    let (proof, fingerprint) = match result {
        Some(Ok(proven)) => proven,
        Some(Err(error)) if error.kind() != FailureKind::Interrupted => {
            // What cannot be trusted, and what there is nothing of, is of no use to anybody.
            if matches!(error, Error::WrongDigest { .. }) || in_place == 0 {
                blocking("remove", target, move || scratch.discard()).await?;
            }
            return Err(error);
        }
        // Whether it was noticed here, or first by somebody who was asked for an address.
        Some(Err(_)) | None => {
            let part = scratch.paths().part.clone();
            let (file, size) = (wanted.name.clone(), wanted.size);
            return Err(Error::Interrupted { file, kept: in_place, size, part });
        }
    };
    // Deaf to Ctrl-C: it is a matter of moments, and then the file is there.
    let overwrite = options.overwrite;
    blocking("put in place", target, move || scratch.commit(overwrite)).await?;
    Ok(Fetched { kept, proof, fingerprint })
}

async fn open(wanted: &Wanted, target: &Path, options: &Options) -> Result<Opened, Error> {
    let cut = Cut::new(wanted.size, options.range_size);
    let (paths, header) = (Paths::beside(target), Header::new(wanted, cut));
    blocking("open", target, move || Scratch::open(paths, &header, cut)).await
}

type Proven = (Proof, Option<Fingerprint>);

/// Fetches what is missing, and digests what has come beside it. Gives what came of it, nothing if it was interrupted;
/// and how many bytes are in place.
async fn fill(
    source: &impl AddressSource,
    wanted: &Wanted,
    scratch: &Scratch,
    done: Done,
    options: &Options,
    cx: &Context,
) -> (Option<Result<Proven, Error>>, u64) {
    let (ready, prefix) = watch::channel(done.prefix());
    let meter = Meter { come: AtomicU64::new(done.bytes()), told: AtomicU64::new(0) };
    let transfer = Transfer {
        addresses: Addresses::new(
            source,
            &wanted.name,
            options.concurrency.get(),
            Limits { stall: options.stall },
            cx,
        ),
        scratch,
        file: &wanted.name,
        size: wanted.size,
        options,
        cx,
        meter,
        done: Mutex::new(done),
        ready,
    };
    let digests = async {
        if wanted.md5.is_none() && wanted.sha3_512.is_none() {
            return Ok((Proof::None, None));
        }
        let (voice, total) = (cx.clone(), wanted.size);
        let progress = move |done| voice.progress(Activity::Hashing, done, total);
        // Ctrl-C drops this future, which ends the reading.
        let never = CancellationToken::new();
        let part = &scratch.paths().part;
        let got = fingerprint::digest_growing(part, wanted.size, prefix, progress, &never).await?;
        Ok((proof::judge(wanted, &got)?, Some(got)))
    };
    let filling = async { tokio::try_join!(transfer.run(), digests).map(|((), proven)| proven) };
    let result = cx.cancelled().run_until_cancelled(filling).await;
    let in_place = transfer.done().bytes();
    (result, in_place)
}

/// Does what may wait for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(
    action: &'static str,
    path: &Path,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(disk::failed(action, path)(io::Error::other(error))),
    }
}
