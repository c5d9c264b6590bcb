//! Room on disks.

use std::path::Path;

/// Bytes that are free for this user where `path` is, or would be.
///
/// # Errors
///
/// Why nobody knows, in words.
#[cfg(unix)]
pub fn free(path: &Path) -> Result<u64, String> {
    let there = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let room = rustix::fs::statvfs(there).map_err(|error| error.to_string())?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

/// Bytes that are free for this user where `path` is, or would be.
///
/// # Errors
///
/// Why nobody knows, in words.
#[cfg(not(unix))]
pub fn free(_path: &Path) -> Result<u64, String> {
    Err("it is not asked for on this system".to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_room_of_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(&folder.path().join("not/there/yet")).unwrap() > 0);
    }
}
