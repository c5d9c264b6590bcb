//! Files that have to come from the disk.

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{can_be_cold, drop_cache};
#[cfg(target_os = "linux")]
pub use linux::{can_be_cold, drop_cache};

#[cfg(target_os = "linux")]
mod linux {
    use crate::error::Error;
    use rustix::fs::{Advice, fadvise, statfs};
    use rustix::io::{ReadWriteFlags, preadv2};
    use std::fs::File;
    use std::io::IoSliceMut;
    use std::path::Path;

    /// `statfs` tells a file system of memory by this.
    const TMPFS: i64 = 0x0102_1994;

    /// Whether a file can be made to leave the page cache: what lives in memory cannot.
    pub fn can_be_cold(path: &Path) -> bool {
        let in_memory = statfs(path).is_ok_and(|system| system.f_type == TMPFS);
        !in_memory && drop_cache(path).is_ok() && !is_cached(path)
    }

    /// Makes a file leave the page cache; dirty pages stay.
    pub fn drop_cache(path: &Path) -> Result<(), Error> {
        let drop = || -> std::io::Result<()> { Ok(fadvise(File::open(path)?, 0, None, Advice::DontNeed)?) };
        drop().map_err(Error::io(format!("{} cannot be dropped from the page cache", path.display())))
    }

    /// Whether the middle of a file can be read without waiting for the disk.
    fn is_cached(path: &Path) -> bool {
        let read = || -> std::io::Result<usize> {
            let file = File::open(path)?;
            let (middle, mut buffer) = (file.metadata()?.len() / 2, [0; 16]);
            Ok(preadv2(file, &mut [IoSliceMut::new(&mut buffer)], middle, ReadWriteFlags::NOWAIT)?)
        };
        read().is_ok_and(|read| read > 0)
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use crate::error::Error;
    use std::path::Path;

    /// Nobody knows how.
    pub fn can_be_cold(_: &Path) -> bool {
        false
    }

    /// Never asked for.
    pub fn drop_cache(_: &Path) -> Result<(), Error> {
        Ok(())
    }
}
