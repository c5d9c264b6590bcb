use crate::Error;
use crate::database::{self, NAME};
use std::path::Path;

/// What a state folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examined {
    /// Nothing yet.
    Nothing,
    /// A file that can be read to its end.
    Sound {
        /// How many damaged files lie beside it, which were set aside.
        set_aside: usize,
    },
    /// A file that [`State::open`](crate::State::open) would set aside; one of many MiB only after a process has died, since it is
    /// not read to its end each time.
    Damaged {
        /// What SQLite says of it.
        why: String,
    },
}

/// Looks into a state folder without mending anything: nothing is made, set aside or brought along.
///
/// # Errors
/// When the folder or the file cannot be used by this user.
pub fn examine(folder: &Path) -> Result<Examined, Error> {
    let path = folder.join(NAME);
    match std::fs::metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Examined::Nothing),
        Err(error) => return Err(Error::folder(folder)(error)),
        Ok(_) => can_be_written(folder)?,
    }
    if !path.exists() {
        return Ok(Examined::Nothing);
    }
    match database::check(&path) {
        Ok(None) => Ok(Examined::Sound { set_aside: set_aside(folder) }),
        Ok(Some(why)) => Ok(Examined::Damaged { why }),
        Err(Error::Database(error)) if database::is_damage(&error) => {
            Ok(Examined::Damaged { why: error.to_string() })
        }
        Err(error) => Err(error),
    }
}

/// Only writing tells: rights, a full disk and a read-only one look alike otherwise.
fn can_be_written(folder: &Path) -> Result<(), Error> {
    let trial = folder.join(format!("trial-{}", uuid::Uuid::new_v4().simple()));
    std::fs::File::create_new(&trial).map_err(Error::folder(folder))?;
    std::fs::remove_file(&trial).map_err(Error::folder(trial))
}

fn set_aside(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let damaged = format!("{NAME}.damaged");
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&damaged)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;

    #[test]
    fn looking_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path(), folder.path().join(NAME));
        assert_eq!(examine(&path.join("not-there")).unwrap(), Examined::Nothing);
        assert_eq!(examine(path).unwrap(), Examined::Nothing);
        assert_eq!(std::fs::read_dir(path).unwrap().count(), 0);

        std::fs::write(&file, vec![b'x'; 8192]).unwrap();
        assert!(matches!(examine(path).unwrap(), Examined::Damaged { .. }));
        assert_eq!(std::fs::read(&file).unwrap(), vec![b'x'; 8192]);

        drop(State::open(path).unwrap());
        assert_eq!(examine(path).unwrap(), Examined::Sound { set_aside: 1 });
    }

    #[test]
    fn a_page_in_the_middle_may_be_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(NAME);
        drop(State::open(folder.path()).unwrap());
        let mut bytes = std::fs::read(&file).unwrap();
        let half = bytes.len() / 2;
        bytes[half..half + 4096].fill(0xa5);
        std::fs::write(&file, bytes).unwrap();
        assert!(matches!(examine(folder.path()).unwrap(), Examined::Damaged { .. }));
    }

    #[test]
    fn what_is_no_folder_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let occupied = folder.path().join("occupied");
        std::fs::write(&occupied, "no folder").unwrap();
        assert!(matches!(examine(&occupied), Err(Error::Folder { .. })));
    }
}
