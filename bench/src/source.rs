//! Files to send: random bytes in a folder that goes away in the end.

use crate::error::Error;
use crate::sink::Known;
use rustix::fs::statvfs;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Where memory is a file system. Sources from there cost no disk, which nobody wants to measure here.
const MEMORY: &str = "/dev/shm";
const BUFFER: usize = 1 << 20;
/// A digest of a file younger than this is not remembered, since a write to it might leave its times as they are.
const SETTLED: Duration = Duration::from_secs(4);

/// A folder for sources and for what contenders write.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
    youngest: Instant,
}

impl Folder {
    /// Makes one in `parent`; by default in memory if `needed` bytes fit there twice, else where temporary files go.
    pub fn make(parent: Option<&Path>, needed: u64) -> Result<Self, Error> {
        let memory = Path::new(MEMORY);
        let parent = match parent {
            Some(parent) => parent.to_owned(),
            None if memory.is_dir() && free(memory)? / 2 >= needed => memory.to_owned(),
            None => std::env::temp_dir(),
        };
        let free = free(&parent)?;
        if free < needed {
            let folder = parent.display().to_string();
            return Err(Error::Room { folder, free: free >> 20, needed: needed >> 20 });
        }
        let folder = tempfile::Builder::new()
            .prefix("pkgferry-bench-")
            .tempdir_in(&parent)
            .map_err(Error::io(format!("no folder can be made in {}", parent.display())))?;
        Ok(Self { folder, youngest: Instant::now() })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A file of so many random bytes.
    pub fn file(&mut self, name: &str, size: u64) -> Result<PathBuf, Error> {
        let path = self.join(name);
        let write = || -> std::io::Result<()> {
            let (mut file, mut random, mut buffer) =
                (File::create(&path)?, fastrand::Rng::new(), vec![0; BUFFER]);
            let mut left = size;
            while left > 0 {
                let length = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
                random.fill(&mut buffer[..length]);
                file.write_all(&buffer[..length])?;
                left -= length as u64;
            }
            // Dirty pages do not leave the cache.
            file.sync_all()
        };
        write().map_err(Error::io(format!("{} cannot be written", path.display())))?;
        self.youngest = Instant::now();
        Ok(path)
    }

    /// Waits until the files are old enough for a cache of digests to take them.
    #[expect(clippy::disallowed_methods, reason = "the files' times are the machine's")]
    pub fn settle(&self) {
        std::thread::sleep(SETTLED.saturating_sub(self.youngest.elapsed()));
    }
}

/// What the sink has to know of a file.
pub fn known(path: &Path, digested: bool) -> Result<Known, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let size = path.metadata().map_err(Error::io("a source has gone"))?.len();
    let mut known = Known { name, size, path: Some(path.to_owned()), ..Known::default() };
    if digested {
        let fingerprint = fingerprint(path)?;
        known.md5 = fingerprint.md5.to_string();
        known.sha3_512 = fingerprint.sha3_512.to_string();
    }
    Ok(known)
}

/// Both digests, as pkgferry computes them.
pub fn fingerprint(path: &Path) -> Result<fingerprint::Fingerprint, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(Error::io("there is no runtime to hash in"))?;
    let never = CancellationToken::new();
    Ok(runtime.block_on(fingerprint::digest(path, |_| {}, &never))?.0)
}

/// Removes a file or a folder, if it is there.
pub fn remove(path: &Path) -> Result<(), Error> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::io(format!("{} cannot be removed", path.display()))(error))
        }
        _ => Ok(()),
    }
}

/// Bytes that fit into a folder. In memory, no more than are available at all.
fn free(folder: &Path) -> Result<u64, Error> {
    let space = statvfs(folder)
        .map_err(|error| Error::io(format!("{} cannot be looked at", folder.display()))(error.into()))?;
    let space = space.f_bavail * space.f_frsize;
    let memory = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    Ok(match memory {
        Some(memory) if folder.starts_with(MEMORY) => space.min(memory),
        _ => space,
    })
}

/// `MemAvailable` in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory() {
        let text = "MemTotal:       24616000 kB\nMemAvailable:   22000000 kB\n";
        assert_eq!(available(text), Some(22_000_000 * 1024));
        assert_eq!(available(""), None);
    }

    #[test]
    fn sources_have_their_size_and_differ() {
        let parent = tempfile::tempdir().unwrap();
        let mut folder = Folder::make(Some(parent.path()), 1).unwrap();
        let size = BUFFER as u64 + 1;
        let (a, b) = (folder.file("a.pkg", size).unwrap(), folder.file("b.pkg", size).unwrap());
        let (a, b) = (known(&a, true).unwrap(), known(&b, true).unwrap());
        assert_eq!((a.size, a.md5.len(), a.sha3_512.len()), (size, 32, 128));
        assert_ne!(a.md5, b.md5);
        drop(folder);
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
