use crate::Error;
use std::fs::{File, Metadata};
use std::path::Path;

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

    /// Whether the file has rested long enough before `now` that a later write would show in its times. They are coarse
    /// (two seconds on some file systems), so a write within the same tick leaves them as they are: the "racy git" problem.
    #[must_use]
    pub fn settled_by(&self, now: jiff::Timestamp) -> bool {
        const REST: i128 = 3_000_000_000;
        [self.modified, self.changed].iter().all(|time| *time <= now.as_nanosecond() - REST)
    }

    fn new(metadata: &Metadata, path: &Path) -> Result<Self, Error> {
        let path = || path.to_owned();
        if metadata.is_dir() {
            return Err(Error::Folder { path: path() });
        }
        if !metadata.is_file() {
            return Err(Error::NotRegular { path: path() });
        }
        if metadata.len() == 0 {
            return Err(Error::Empty { path: path() });
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
