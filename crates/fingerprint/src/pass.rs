//! The two threads over one file: who reads what, and when.

use crate::{Error, FileIdentity};
use sha3::Digest;
use sha3::digest::Output;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};

/// Bytes per read; each thread has one buffer of this size.
const BUFFER: usize = 256 * 1024;

/// Bytes between two calls of the progress callback.
const REPORT_EVERY: u64 = 8 * 1024 * 1024;

/// The file under work, as both threads see it.
pub(crate) struct Source {
    file: File,
    path: PathBuf,
    identity: FileIdentity,
}

impl Source {
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        // Asked first: opening a pipe would wait for somebody to write to it.
        FileIdentity::of(&path)?;
        let file = File::open(&path).map_err(Error::read(&path))?;
        let identity = FileIdentity::of_open(&file, &path)?;
        Ok(Self { file, path, identity })
    }

    /// The identity that the file had when it was opened, if it is still the one at its path.
    pub(crate) fn unchanged(&self) -> Result<FileIdentity, Error> {
        if FileIdentity::of(&self.path)? == self.identity { Ok(self.identity) } else { Err(self.changed()) }
    }

    fn changed(&self) -> Error {
        Error::Changed { path: self.path.clone() }
    }

    /// The leading pass: reads from the disk and tells how far it is, except for the end of the file, which only
    /// `agrees` lets it tell. So the follower cannot finish a file whose leading digest already differs.
    pub(crate) fn lead<D: Digest>(
        &self,
        stopped: impl Fn() -> bool,
        agrees: impl FnOnce(&Output<D>) -> bool,
        position: &Sender<u64>,
    ) -> Result<Option<Output<D>>, Error> {
        let digest = self.hash::<D>(|offset| {
            // Nobody listens any more when the follower failed; its error is the one that counts.
            let _ = position.send(offset);
            (!stopped()).then_some(self.identity.size)
        })?;
        if digest.as_ref().is_some_and(agrees) {
            let _ = position.send(self.identity.size);
        }
        Ok(digest)
    }

    /// The following pass: reads only what the leader has read, and gives up (`None`) when the leader has ended without
    /// telling that it reached the end.
    pub(crate) fn follow<D: Digest>(
        &self,
        stopped: impl Fn() -> bool,
        progress: impl Fn(u64),
        leader: &Receiver<u64>,
    ) -> Result<Option<Output<D>>, Error> {
        let (mut led, mut reported) = (0, 0);
        let digest = self.hash::<D>(|offset| {
            if offset - reported >= REPORT_EVERY {
                progress(offset);
                reported = offset;
            }
            led = self.newest(leader, led, offset)?;
            (!stopped()).then_some(led)
        })?;
        if digest.is_some() {
            progress(self.identity.size);
        }
        Ok(digest)
    }

    /// Where the leader is now: at least past `offset`. Positions that were overtaken are taken out as well, so that
    /// they do not pile up. `None` when the leader is gone and did not reach the end.
    fn newest(&self, leader: &Receiver<u64>, mut led: u64, offset: u64) -> Option<u64> {
        while led < self.identity.size {
            led = match leader.try_recv() {
                Ok(position) => position,
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if led > offset => break,
                Err(TryRecvError::Empty) => leader.recv().ok()?,
            };
        }
        Some(led)
    }

    /// Hashes the whole file. `end` is asked before each read how far it may go, and ends the pass with `None`.
    fn hash<D: Digest>(&self, mut end: impl FnMut(u64) -> Option<u64>) -> Result<Option<Output<D>>, Error> {
        let mut hasher = D::new();
        let mut buffer = vec![0; BUFFER];
        let mut offset = 0;
        while offset < self.identity.size {
            let Some(end) = end(offset) else { return Ok(None) };
            let wanted = usize::try_from(end - offset).map_or(BUFFER, |left| left.min(BUFFER));
            let read = self.read(&mut buffer[..wanted], offset)?;
            hasher.update(&buffer[..read]);
            offset += read as u64;
        }
        Ok(Some(hasher.finalize()))
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        loop {
            match read_at(&self.file, buffer, offset) {
                // Shorter than a moment ago: somebody cut it.
                Ok(0) => return Err(self.changed()),
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::read(&self.path)(error)),
            }
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    // It moves the cursor as well, which nobody here uses.
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
