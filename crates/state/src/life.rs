//! Whether the process that began something still lives.

use crate::Error;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// A process, as others see it: a locked file. The system lets go of the lock when the process dies, however it dies.
pub(crate) struct Life {
    name: String,
    record: Option<Record>,
}

struct Record {
    folder: PathBuf,
    path: PathBuf,
    /// Held open for the lock.
    _lock: File,
}

impl Life {
    /// Begins a life that other processes see.
    pub(crate) fn begin(folder: &Path) -> Result<Self, Error> {
        let folder = folder.join("running");
        make_private(&folder).map_err(Error::folder(&folder))?;
        bury(&folder);
        loop {
            let name = uuid::Uuid::new_v4().simple().to_string();
            let path = folder.join(&name);
            let lock = File::create_new(&path).map_err(Error::folder(&path))?;
            lock.lock().map_err(Error::folder(&path))?;
            // Before it was locked, another process may have taken it for a dead one's.
            if path.exists() {
                return Ok(Self { name, record: Some(Record { folder, path, _lock: lock }) });
            }
        }
    }

    /// A life that nobody else can see.
    pub(crate) fn unrecorded() -> Self {
        Self { name: String::new(), record: None }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether another life goes on; nobody's does not. When nobody can tell, it does: what belongs to it is left alone.
    pub(crate) fn sees(&self, other: &str) -> bool {
        let Some(record) = self.record.as_ref().filter(|_| !other.is_empty()) else { return false };
        is_locked(&record.folder.join(other))
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(record) = &self.record {
            // What stays is removed by the next process.
            let _ = std::fs::remove_file(&record.path);
        }
    }
}

fn is_locked(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_))),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// Removes the records of those who died. Each is locked meanwhile, so that who is just being born notices.
fn bury(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_seen_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (Life::begin(folder.path()).unwrap(), Life::begin(folder.path()).unwrap());
        let name = one.name().to_owned();
        assert!(other.sees(&name));
        drop(one);
        assert!(!other.sees(&name));
        assert!(!other.sees("never-lived"));
    }

    #[test]
    fn records_of_the_dead_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let running = folder.path().join("running");
        let living = Life::begin(folder.path()).unwrap();
        std::fs::write(running.join("dead"), "").unwrap();
        let _other = Life::begin(folder.path()).unwrap();
        assert!(!running.join("dead").exists());
        assert!(running.join(living.name()).exists());
    }
}
