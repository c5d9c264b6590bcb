//! The two passes over one file: the leader reads and computes MD5, the follower computes SHA3-512 from what it is handed.
//!
//! Neither is generic or async, so that the hashing is compiled in this crate, which the development profile optimises:
//! generic and async functions are compiled by who calls and who polls them.

use crate::relay::{Follower, Leader, Next};
use crate::sha3::Sha3;
use crate::{DigestState, Error};
use md5::Digest as _;
use pipeline::{Md5, Sha3_512};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes between two calls of the progress callback.
const REPORT_EVERY: u64 = 8 * 1024 * 1024;

/// Bytes between two states that are saved: a quarter of a second of SHA3-512, which is what an interruption costs.
pub(crate) const SAVE_EVERY: u64 = 64 * 1024 * 1024;

/// Something that can be read at any place by several threads.
pub(crate) trait ReadAt: Send + Sync {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

/// The bytes under work, as both threads see them.
#[derive(Clone)]
pub(crate) struct Source {
    bytes: Arc<dyn ReadAt>,
    /// For messages.
    path: PathBuf,
}

impl Source {
    pub(crate) fn new(bytes: Arc<dyn ReadAt>, path: PathBuf) -> Self {
        Self { bytes, path }
    }

    fn fill(&self, mut buffer: &mut [u8], mut offset: u64) -> Result<(), Error> {
        while !buffer.is_empty() {
            match self.bytes.read_at(buffer, offset) {
                // Shorter than a moment ago: somebody cut it.
                Ok(0) => return Err(Error::Changed { path: self.path.clone() }),
                Ok(read) => {
                    buffer = &mut buffer[read..];
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::read(&self.path)(error)),
            }
        }
        Ok(())
    }
}

/// The leading pass, behind what `md5` has taken. The end of the file is handed on only when its MD5 leaves something to do, so
/// the follower cannot finish a file whose MD5 already differs. `None` when it was stopped before the end.
pub(crate) fn lead(source: &Source, mut leader: Leader<'_>, mut md5: md5::Md5) -> Result<Option<Md5>, Error> {
    while let Some(mut block) = leader.next() {
        let offset = block.start();
        source.fill(block.bytes_mut(), offset)?;
        md5.update(block.bytes());
        if block.end() < leader.relay().size() {
            if block.end().is_multiple_of(SAVE_EVERY) {
                leader.mark(block.end(), md5.clone());
            }
            leader.hand(block);
            continue;
        }
        let md5 = Md5::from_bytes(md5.finalize().into());
        if leader.relay().pace().goes_on(md5) {
            leader.hand(block);
        }
        return Ok(Some(md5));
    }
    Ok(None)
}

/// Who is told how far the following pass is.
pub(crate) struct Listeners<'a> {
    /// Bytes from the start of the file that both passes have hashed.
    pub progress: &'a dyn Fn(u64),
    /// Both states, where both were the same number of bytes on.
    pub save: &'a dyn Fn(DigestState),
}

/// The following pass, behind what `sha3` has taken. `None` when it was stopped, or the leader did not hand on the end of the
/// file.
pub(crate) fn follow(
    source: &Source,
    mut follower: Follower<'_>,
    mut sha3: Sha3,
    listeners: &Listeners<'_>,
) -> Result<Option<Sha3_512>, Error> {
    let size = follower.relay().size();
    let mut reported = follower.offset();
    while follower.offset() < size {
        let offset = follower.offset();
        if offset - reported >= REPORT_EVERY {
            (listeners.progress)(offset);
            reported = offset;
        }
        let block = match follower.next() {
            Some(Next::Handed(block)) => block,
            Some(Next::Passed(mut block)) => {
                source.fill(block.bytes_mut(), offset)?;
                block
            }
            None => return Ok(None),
        };
        sha3.update(block.bytes());
        follower.done(block);
        if let Some(md5) = follower.mark() {
            (listeners.save)(DigestState::new(follower.offset(), md5, sha3.clone()));
        }
    }
    (listeners.progress)(size);
    Ok(Some(sha3.finish()))
}

#[cfg(unix)]
impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }
}

#[cfg(windows)]
impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        // It moves the cursor as well, which nobody here uses.
        std::os::windows::fs::FileExt::seek_read(self, buffer, offset)
    }
}

#[cfg(test)]
mod tests;
