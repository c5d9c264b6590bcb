//! What the file system has to do, each system in its way.

use crate::Error;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Turns an I/O error into one of a download.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Disk { action, path: path.to_owned(), source }
}

/// Whether there is anything of this name, a link that leads nowhere included.
pub(crate) fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// Size of an open regular file.
pub(crate) fn size(file: &File) -> Option<u64> {
    file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
}

/// Where a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    /// Anywhere.
    Anywhere,
    /// At its end.
    AtEnd,
}

/// Makes a file that is not there yet.
pub(crate) fn create(path: &Path, writes: Writes) -> io::Result<File> {
    options(writes).create_new(true).open(path)
}

/// Opens a file that is there. A link is not followed: whoever planted it could have any file of the user written over.
pub(crate) fn open(path: &Path, writes: Writes) -> io::Result<File> {
    options(writes).open(path)
}

fn options(writes: Writes) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    match writes {
        Writes::Anywhere => options.write(true),
        Writes::AtEnd => options.append(true),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0));
    }
    options
}

/// Locks a file for as long as it is open; `false` if somebody else has. A file system that knows no locks does without.
pub(crate) fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether the open file is still the one of this name.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    matches!(
        (file.metadata(), std::fs::symlink_metadata(path)),
        (Ok(open), Ok(named)) if identity(open.clone()) == identity(named.clone())
    )
}

/// Whether the open file is still the one of this name.
#[cfg(not(unix))]
pub(crate) fn is_at(_file: &File, path: &Path) -> bool {
    is_there(path)
}

/// Removes a file; one that is not there is removed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the file as large as it will be, with room on the disk for all of it.
pub(crate) fn reserve(file: &File, size: u64, path: &Path) -> Result<(), Error> {
    let no_room = |available, source| Error::NoRoom { path: path.to_owned(), size, available, source };
    if let Some((missing, available)) = shortage(file, size) {
        tracing::debug!(missing, available, "too little room");
        return Err(no_room(Some(available), None));
    }
    match allocate(file, size) {
        Ok(()) => Ok(()),
        Err(error) if is_about_room(error.kind()) => Err(no_room(None, Some(error))),
        Err(error) => Err(failed("make room for", path)(error)),
    }
}

/// Whether a disk, a quota or the largest possible file is the limit.
pub(crate) fn is_about_room(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// Bytes that are missing and bytes that are free, if the former are more.
#[cfg(unix)]
fn shortage(file: &File, size: u64) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let room = rustix::fs::fstatvfs(file).ok()?;
    let available = room.f_bavail.saturating_mul(room.f_frsize);
    let missing = size.saturating_sub(file.metadata().ok()?.blocks().saturating_mul(512));
    // A file system without a size of its own has no limit of its own either.
    (room.f_blocks > 0 && available < missing).then_some((missing, available))
}

#[cfg(not(unix))]
fn shortage(_file: &File, _size: u64) -> Option<(u64, u64)> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn allocate(file: &File, size: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    match fallocate(file, FallocateFlags::empty(), 0, size).map_err(io::Error::from) {
        Ok(()) => Ok(()),
        Err(error) if is_about_room(error.kind()) => Err(error),
        // Not every file system can; then there is at least the size.
        Err(_) => file.set_len(size),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn allocate(file: &File, size: u64) -> io::Result<()> {
    file.set_len(size)
}

/// Writes all bytes at this place.
#[cfg(unix)]
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Writes all bytes at this place.
#[cfg(windows)]
pub(crate) fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Gives a file a name that nothing has yet, in one step where the system can.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    // Two of them are one on some systems.
    let unknown = [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP];
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(errno) if unknown.contains(&errno) => link_new(from, to),
        done => Ok(done?),
    }
}

/// Gives a file a name that nothing has yet.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    link_new(from, to)
}

/// A second name, made only where there is none, and then the first one goes. Where there are no second names, a look
/// before the renaming is all that can be had.
fn link_new(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if is_there(to) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => std::fs::rename(from, to),
    }
}

/// Makes a renaming last. What cannot be made to last has happened all the same.
pub(crate) fn sync_folder(of: &Path) {
    if cfg!(unix)
        && let Some(folder) = of.parent()
    {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_replaces_nothing_either_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for rename in [rename_new, link_new] {
            std::fs::write(path("part"), "new").unwrap();
            std::fs::write(path("target"), "old").unwrap();
            let error = rename(&path("part"), &path("target")).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(path("target")).unwrap(), b"old");

            std::fs::remove_file(path("target")).unwrap();
            rename(&path("part"), &path("target")).unwrap();
            assert_eq!(std::fs::read(path("target")).unwrap(), b"new");
            assert!(!is_there(&path("part")));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_planted_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        for name in ["App.pkg.part", "App.pkg.part.ranges"] {
            let link = folder.path().join(name);
            std::os::unix::fs::symlink(&victim, &link).unwrap();
            for writes in [Writes::Anywhere, Writes::AtEnd] {
                assert!(open(&link, writes).is_err() && create(&link, writes).is_err());
            }
        }
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    }
}
