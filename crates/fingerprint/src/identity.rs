use crate::Error;
use jiff::{SignedDuration, Timestamp};
use std::fs::{File, Metadata};
use std::path::Path;

/// How long ago a file must have been touched for [`FileIdentity::settled_by`]: more than the coarsest time stamp in use.
const SETTLING: SignedDuration = SignedDuration::from_secs(3);
/// The same for [`FileIdentity::settled_for_a_run`], where the file system shows that its stamps are fine: more than any
/// kernel's clock tick.
const FINE_SETTLING: SignedDuration = SignedDuration::from_millis(250);
/// Stamps that are whole multiples of this may come from a coarse clock: seconds, or exFAT's hundredths.
const COARSE: i128 = 10_000_000;

/// What the file system says about a file without reading it.
///
/// Two equal identities mean that nobody touched the file in between. The reverse does not hold: the time of change
/// moves also when a mode or an attribute changes, which errs on the safe side.
///
/// Only a regular file with at least one byte has an identity. Symbolic links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Size in bytes; never 0.
    pub size: u64,
    /// When the bytes were last written (`mtime`), in nanoseconds since 1970.
    pub modified: i128,
    /// When anything about the file last changed (`ctime`), in nanoseconds since 1970. Unlike `modified`, nobody can set
    /// it back. 0 where the system has none.
    pub changed: i128,
    /// Number of the file on its device: another file moved to the same path has another. 0 where the system has none.
    pub inode: u64,
    /// The device. 0 where the system has none.
    pub device: u64,
}

impl FileIdentity {
    /// The identity of the file at `path`.
    ///
    /// # Errors
    /// When there is none, or it is not a regular file with at least one byte.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let metadata = std::fs::metadata(path).map_err(Error::read(path))?;
        Self::new(&metadata, path)
    }

    /// The identity of a file that is open; `path` is for messages.
    ///
    /// # Errors
    /// As [`of`](FileIdentity::of).
    pub fn of_open(file: &File, path: &Path) -> Result<Self, Error> {
        let metadata = file.metadata().map_err(Error::read(path))?;
        Self::new(&metadata, path)
    }

    /// Whether nobody can have written to the file at `now` or later without moving its identity. Only then may something
    /// that was computed from the bytes be kept under it.
    ///
    /// Time stamps are coarse: a clock tick or a second on most file systems, two seconds on FAT. A file that is read and then
    /// written within one such step keeps its size and its times, so a digest kept under them would be the old bytes' and
    /// never be questioned again (the "racy git" problem). A file is settled when both times lie three seconds back: whatever
    /// is written from `now` on gets another time. A time in the future settles nothing, since a write may still arrive at it.
    ///
    /// `now` is when the reading of the bytes began, or earlier; a later one would vouch for what was written meanwhile.
    #[must_use]
    pub fn settled_by(&self, now: Timestamp) -> bool {
        let latest = self.modified.max(self.changed);
        // A system that tells neither time tells nothing about writes.
        let known = self.modified != 0 || self.changed != 0;
        known && latest <= now.as_nanosecond() - SETTLING.as_nanos()
    }

    /// Whether what was computed from the bytes may be kept under it until the end of this run.
    ///
    /// As [`settled_by`](Self::settled_by), but a time of change that is finer than hundredths of a second is taken for what it
    /// shows: that this file system's stamps move with every clock tick. Then a quarter of a second will do. It counts on the
    /// file system's clock being this machine's, which a network's need not be, and so is not for what outlasts a run: there
    /// a wrong digest would never be questioned again, and here the next run reads the file anew.
    #[must_use]
    pub fn settled_for_a_run(&self, now: Timestamp) -> bool {
        let is_fine = self.changed % COARSE != 0;
        self.settled_by(now) || (is_fine && self.changed <= now.as_nanosecond() - FINE_SETTLING.as_nanos())
    }

    /// Fails when there is no regular file at `path`, empty or not.
    pub(crate) fn regular(path: &Path) -> Result<(), Error> {
        refuse_irregular(&std::fs::metadata(path).map_err(Error::read(path))?, path)
    }

    fn new(metadata: &Metadata, path: &Path) -> Result<Self, Error> {
        refuse_irregular(metadata, path)?;
        if metadata.len() == 0 {
            return Err(Error::Empty { path: path.to_owned() });
        }
        Ok(Self::from_metadata(metadata))
    }

    #[cfg(unix)]
    fn from_metadata(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            size: metadata.len(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }

    #[cfg(not(unix))]
    fn from_metadata(metadata: &Metadata) -> Self {
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .and_then(|since| i128::try_from(since.as_nanos()).ok());
        Self { size: metadata.len(), modified: modified.unwrap_or(0), changed: 0, inode: 0, device: 0 }
    }
}

fn refuse_irregular(metadata: &Metadata, path: &Path) -> Result<(), Error> {
    if metadata.is_dir() {
        return Err(Error::Folder { path: path.to_owned() });
    }
    if !metadata.is_file() {
        return Err(Error::NotRegular { path: path.to_owned() });
    }
    Ok(())
}
