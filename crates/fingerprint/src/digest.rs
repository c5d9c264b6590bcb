use crate::pass::Source;
use crate::relay::{Pace, Relay};
use crate::threads::{blocking, hash};
use crate::{DigestState, Error, FileIdentity};
use jiff::Timestamp;
use pipeline::{Md5, Sha3_512};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Size and digests of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// Size in bytes.
    pub size: u64,
    /// MD5.
    pub md5: Md5,
    /// SHA3-512.
    pub sha3_512: Sha3_512,
}

/// What somebody who lists a file tells of these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// The file holds them.
    Same,
    /// It holds others.
    Others,
    /// Not enough is told.
    Untold,
}

impl Fingerprint {
    /// Holds what is told of a file against these bytes. SHA3-512 and size prove them, and an MD5 has to agree where there is one. A size
    /// of 0 is none: an entry may be there before it is complete (`jamf-pro-api.md §11.3`).
    #[must_use]
    pub fn agrees_with(&self, size: u64, md5: Option<Md5>, sha3_512: Option<Sha3_512>) -> Agreement {
        let may_be_same = (size == 0 || size == self.size)
            && md5.is_none_or(|md5| md5 == self.md5)
            && sha3_512.is_none_or(|sha3_512| sha3_512 == self.sha3_512);
        match sha3_512 {
            _ if !may_be_same => Agreement::Others,
            Some(_) if size == self.size => Agreement::Same,
            _ => Agreement::Untold,
        }
    }
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
/// Two threads share one pass: the first reads and computes MD5, and hands each buffer to the second for SHA3-512. Every byte
/// is read once, and the time is that of SHA3-512 alone, which is three times slower (`cargo bench -p fingerprint`). Memory is
/// at most 4 MiB, whatever the file's size.
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
    let pass = Pass { pace: Pace::Together, start: DigestState::default(), identity: None };
    let digests = digests(path, pass, |_| {}, progress, cancel).await?;
    Ok((digests.together(path)?, digests.identity))
}

/// Where hashing begins: at the first byte of a file, or behind what was hashed before.
#[derive(Clone, Debug)]
pub struct Start {
    /// The file's identity, now and when its first byte was read.
    pub identity: FileIdentity,
    /// What was hashed. One of as many bytes as the file has, or more, is not used: nobody saves such.
    pub state: DigestState,
    /// When the reading began, or earlier.
    pub begun: Timestamp,
}

/// Reads the rest of a file and computes both digests of the whole, and tells how far it is, so that it can be gone on with
/// after an interruption: `save` gets both states where they are of the same bytes, every 64 MiB. Otherwise as [`digest()`].
///
/// # Errors
/// As [`digest()`]; [`Error::Changed`] also when the file is another one than `start` is about, before anything is read.
pub async fn digest_from(
    path: &Path,
    start: Start,
    save: impl Fn(DigestState) + Send + Sync + 'static,
    progress: impl Fn(u64) + Send + Sync + 'static,
    cancel: &CancellationToken,
) -> Result<Fingerprint, Error> {
    let Start { identity, state, .. } = start;
    let state = if state.offset() < identity.size { state } else { DigestState::default() };
    let pass = Pass { pace: Pace::Together, start: state, identity: Some(identity) };
    digests(path, pass, save, progress, cancel).await?.together(path)
}

/// Reads a file and compares its digests; a different MD5 ends the SHA3-512 at once. Otherwise as [`digest()`].
///
/// For that MD5 must not wait for SHA3-512, which would hold it back to its own pace. So when the second thread has fallen
/// behind by more than the buffers hold, the first goes on alone, and the second reads for itself what it was not handed. The
/// page cache serves that, because the first has just filled it.
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
    let pace = expected.md5.map_or(Pace::Together, Pace::Ahead);
    let pass = Pass { pace, start: DigestState::default(), identity: None };
    let Digests { identity, md5, sha3_512 } = digests(path, pass, |_| {}, progress, cancel).await?;
    if expected.md5.is_some_and(|expected| expected != md5) {
        return Ok(Comparison::Md5Differs { md5 });
    }
    let sha3_512 = sha3_512.ok_or_else(|| Error::interrupted(path))?;
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

impl Digests {
    /// Both, where nothing but a stop leaves one out.
    fn together(&self, path: &Path) -> Result<Fingerprint, Error> {
        let sha3_512 = self.sha3_512.ok_or_else(|| Error::interrupted(path))?;
        Ok(Fingerprint { size: self.identity.size, md5: self.md5, sha3_512 })
    }
}

/// What is to be done with a file.
struct Pass {
    pace: Pace,
    start: DigestState,
    /// Which file it has to be, if that is known.
    identity: Option<FileIdentity>,
}

async fn digests(
    path: &Path,
    pass: Pass,
    save: impl Fn(DigestState) + Send + Sync + 'static,
    progress: impl Fn(u64) + Send + Sync + 'static,
    cancel: &CancellationToken,
) -> Result<Digests, Error> {
    let work = async {
        let name = path.to_owned();
        let (file, identity) = blocking(path, move || open(&name)).await?;
        if pass.identity.is_some_and(|expected| expected != identity) {
            return Err(Error::Changed { path: path.to_owned() });
        }
        let source = Source::new(Arc::new(file), path.to_owned());
        let relay = Relay::new(identity.size, pass.pace, cancel.child_token()).behind(pass.start.offset());
        let (md5, sha3_512) = hash(path, &source, &Arc::new(relay), pass.start, save, progress).await?;
        let name = path.to_owned();
        blocking(path, move || unchanged(&name, identity)).await?;
        Ok(Digests { identity, md5, sha3_512 })
    };
    cancel.run_until_cancelled(work).await.unwrap_or_else(|| Err(Error::interrupted(path)))
}

fn open(path: &Path) -> Result<(File, FileIdentity), Error> {
    // Asked first: opening a pipe would wait for somebody to write to it.
    FileIdentity::of(path)?;
    let file = File::open(path).map_err(Error::read(path))?;
    let identity = FileIdentity::of_open(&file, path)?;
    Ok((file, identity))
}

/// Whether the file at `path` is still the one that was opened.
fn unchanged(path: &Path, identity: FileIdentity) -> Result<(), Error> {
    if FileIdentity::of(path)? == identity { Ok(()) } else { Err(Error::Changed { path: path.to_owned() }) }
}
