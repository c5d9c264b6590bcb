//! The state folder, and who may use what is made in it.
//!
//! A folder that is made here is its owner's alone. One that somebody made for several users stays what it is, and what is
//! made in it is as open as it: otherwise the first user to come would lock the others out, and each would run without
//! knowing of the other.

use std::fs::{File, OpenOptions};
#[cfg(unix)]
use std::fs::{Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Makes the state folder if it is missing, for its owner alone.
#[cfg(unix)]
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes the state folder if it is missing.
#[cfg(not(unix))]
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Makes a folder in the state folder, if it is missing.
pub(crate) fn make_inside(folder: &Path, name: &str) -> io::Result<PathBuf> {
    match make(folder) {
        // A file is in its place. What cannot be made inside says so better.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made?,
    }
    let path = folder.join(name);
    match std::fs::create_dir(&path) {
        Ok(()) => open_up(&path, folder, 0o777)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    Ok(path)
}

/// Makes a file that nobody has made before.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    let file = patiently(|| OpenOptions::new().read(true).write(true).create_new(true).open(path))?;
    if let Some(folder) = path.parent() {
        open_up_file(&file, folder)?;
    }
    Ok(file)
}

/// Opens a file for reading and writing, and makes it if it is missing.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let open = || patiently(|| OpenOptions::new().read(true).write(true).open(path));
    // Not in one call: in a folder like /tmp, Linux refuses to open another user's file in a way that could create it.
    match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => match create_file(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => open(),
            made => made,
        },
        opened => opened,
    }
}

/// Another user who has just made a file or folder gives it its rights in the next moment. Who comes in between looks again so
/// often.
const LOOKS: u32 = 1000;

fn patiently<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..LOOKS {
        match open() {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => std::thread::yield_now(),
            opened => return opened,
        }
    }
    open()
}

/// Gives what was just made the rights of its folder, whatever the process leaves out by default, and its group.
#[cfg(unix)]
pub(crate) fn open_up(path: &Path, folder: &Path, of: u32) -> io::Result<()> {
    let (own, folder) = (std::fs::metadata(path)?, std::fs::metadata(folder)?);
    // Who does not belong to the group cannot give it; then the rights of the group are another group's.
    let give = |group| drop(std::os::unix::fs::chown(path, None, Some(group)));
    match rights(&own, &folder, of, give) {
        Some(rights) => std::fs::set_permissions(path, rights),
        None => Ok(()),
    }
}

/// The same for a file that is open: somebody may have removed its name meanwhile.
#[cfg(unix)]
fn open_up_file(file: &File, folder: &Path) -> io::Result<()> {
    let (own, folder) = (file.metadata()?, std::fs::metadata(folder)?);
    let give = |group| drop(std::os::unix::fs::fchown(file, None, Some(group)));
    match rights(&own, &folder, 0o666, give) {
        Some(rights) => file.set_permissions(rights),
        None => Ok(()),
    }
}

/// The rights that are to be given, if they are others than it has.
#[cfg(unix)]
fn rights(own: &Metadata, folder: &Metadata, of: u32, give_group: impl FnOnce(u32)) -> Option<Permissions> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    if own.gid() != folder.gid() {
        give_group(folder.gid());
    }
    let own = own.mode() & 0o7777;
    let wanted = own & 0o7000 | folder.mode() & of;
    (own != wanted).then(|| Permissions::from_mode(wanted))
}

#[cfg(not(unix))]
pub(crate) fn open_up(_path: &Path, _folder: &Path, _of: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn open_up_file(_file: &File, _folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test ends where it fails, helpers included")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_as_open_as_the_folder() {
        for (of_folder, of_file) in [(0o700, 0o600), (0o770, 0o660), (0o755, 0o644), (0o777, 0o666)] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(of_folder)).unwrap();
            let inside = make_inside(folder.path(), "inside").unwrap();
            open_file(&inside.join("file")).unwrap();
            assert_eq!(mode(folder.path()), of_folder);
            assert_eq!(mode(&inside), of_folder);
            assert_eq!(mode(&inside.join("file")), of_file);
        }
    }

    #[test]
    fn nothing_is_made_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        drop(create_file(&file).unwrap());
        assert_eq!(make_inside(&file, "inside").unwrap_err().kind(), ErrorKind::NotADirectory);
    }

    #[test]
    fn what_is_there_keeps_its_rights() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        drop(create_file(&path).unwrap());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(create_file(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        open_file(&path).unwrap();
        assert_eq!(mode(&path), 0o640);
    }
}
