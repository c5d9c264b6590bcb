//! Whether the process that began something still lives.

use crate::{Error, folder};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// A process, as others see it: a locked file. The system lets go of the lock when the process dies, however it dies.
pub(crate) struct Life {
    name: String,
    record: Option<Record>,
    /// Whether the records of dead ones were found.
    after_deaths: bool,
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
        let folder = folder::make_inside(folder, "running").map_err(Error::folder(folder.join("running")))?;
        let after_deaths = bury(&folder);
        loop {
            let name = uuid::Uuid::new_v4().simple().to_string();
            let path = folder.join(&name);
            let lock = folder::create_file(&path).map_err(Error::folder(&path))?;
            lock.lock().map_err(Error::folder(&path))?;
            // Before it was locked, another process may have taken it for a dead one's.
            if path.exists() {
                let record = Some(Record { folder, path, _lock: lock });
                return Ok(Self { name, record, after_deaths });
            }
        }
    }

    /// A life that nobody else can see.
    pub(crate) fn unrecorded() -> Self {
        Self { name: String::new(), record: None, after_deaths: false }
    }

    /// Whether another process had died before this life began, killed or with the machine.
    pub(crate) fn follows_deaths(&self) -> bool {
        self.after_deaths
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
        // Shared: two that look at a dead one at the same time must not take each other for it.
        Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock | TryLockError::Error(_))),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// Removes the records of those who died, and tells whether there were any. Each is locked meanwhile, so that who is just being
/// born notices.
fn bury(folder: &Path) -> bool {
    let mut any = false;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            any |= std::fs::remove_file(path).is_ok();
        }
    }
    any
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

    /// Who looks holds the record for a moment, and is not the one who lived.
    #[test]
    fn who_looks_is_not_taken_for_the_dead() {
        let folder = tempfile::tempdir().unwrap();
        let life = Life::begin(folder.path()).unwrap();
        let dead = folder.path().join("running/dead");
        let looks = File::create_new(&dead).unwrap();
        looks.lock_shared().unwrap();
        assert!(!life.sees("dead"));
        looks.lock().unwrap();
        assert!(life.sees("dead"));
    }

    #[test]
    fn records_of_the_dead_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let running = folder.path().join("running");
        let living = Life::begin(folder.path()).unwrap();
        std::fs::write(running.join("dead"), "").unwrap();
        let other = Life::begin(folder.path()).unwrap();
        assert_eq!((living.follows_deaths(), other.follows_deaths()), (false, true));
        assert!(!running.join("dead").exists());
        assert!(running.join(living.name()).exists());
    }
}
