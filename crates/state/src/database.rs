//! The file: where it is, what is in it, and what happens to a damaged one.

use crate::schema::{FORMAT, STEPS};
use crate::{Error, folder};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const NAME: &str = "state.db";
/// Another process writes for some milliseconds at a time.
pub(crate) const BUSY: Duration = Duration::from_secs(10);

/// A file up to here is read to its end whenever it is opened, which takes some milliseconds for each MiB. A larger one holds a
/// history that nobody prunes, and is read when a process died: then it may be the machine that went down.
const READ_AT_ONCE: u64 = 4 << 20;

/// Opens the file in a folder; a damaged one is moved out of the way first. `after_deaths`: whether a process that used it died.
///
/// One process at a time: what is set aside as damaged must not be another one's new file, SQLite does not wait for who switches to
/// the log at the same moment, and another user must not find files that have not got their rights yet.
pub(crate) fn open(folder: &Path, after_deaths: bool) -> Result<(Connection, Option<PathBuf>), Error> {
    let lock = folder.join("opening.lock");
    let turn = folder::open_file(&lock).map_err(Error::folder(&lock))?;
    turn.lock().map_err(Error::folder(&lock))?;
    let path = folder.join(NAME);
    let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let reading = if after_deaths || size <= READ_AT_ONCE { Reading::Whole } else { Reading::Beginning };
    match connect(&path, reading) {
        Err(Error::Database(error)) if is_damage(&error) => {
            let aside = set_aside(&path)?;
            Ok((connect(&path, Reading::Beginning)?, Some(aside)))
        }
        opened => Ok((opened?, None)),
    }
}

/// How much of a file is looked at before it is used.
#[derive(Clone, Copy)]
enum Reading {
    Beginning,
    Whole,
}

pub(crate) fn in_memory() -> Result<Connection, Error> {
    let mut database = Connection::open_in_memory()?;
    database.pragma_update(None, "foreign_keys", true)?;
    bring_along(&mut database, Path::new(":memory:"))?;
    Ok(database)
}

/// Reads a file to its end; what is wrong with it, if something is.
pub(crate) fn check(path: &Path) -> Result<Option<String>, Error> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.busy_timeout(BUSY)?;
    Ok(damage(&database)?)
}

/// What SQLite says of the pages of a file, if it says anything but that they are right.
fn damage(database: &Connection) -> rusqlite::Result<Option<String>> {
    let said: String = database.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    Ok((said != "ok").then_some(said))
}

fn connect(path: &Path, reading: Reading) -> Result<Connection, Error> {
    let is_new = !path.exists();
    let mut database = Connection::open(path)?;
    database.busy_timeout(BUSY)?;
    // Before anything is set: a newer program's file is left as it is.
    refuse_newer(&database, path)?;
    if matches!(reading, Reading::Whole)
        && let Some(why) = damage(&database)?
    {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(rusqlite::Error::SqliteFailure(code, Some(why)).into());
    }
    if is_new {
        // SQLite gives what it makes beside the file the rights of the file. They are set by name: whoever opens and closes the
        // file beside SQLite takes the locks away that this process has on it.
        let folder = path.parent().unwrap_or(Path::new("."));
        folder::open_up(path, folder, 0o666).map_err(Error::folder(path))?;
    }
    // A process may be killed at any instant; only the machine's own death can take the last entries away, and then an
    // upload is sent anew.
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "synchronous", "normal")?;
    database.pragma_update(None, "foreign_keys", true)?;
    bring_along(&mut database, path)?;
    Ok(database)
}

fn bring_along(database: &mut Connection, path: &Path) -> Result<(), Error> {
    // Looked at once more: a program of before there were turns may be making the file at this moment.
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let missing = refuse_newer(&transaction, path)?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "user_version", FORMAT)?;
    }
    Ok(transaction.commit()?)
}

/// The steps that lead from what the file is to what it has to be.
fn refuse_newer(database: &Connection, path: &Path) -> Result<&'static [&'static str], Error> {
    let found: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = usize::try_from(found).ok().and_then(|made| STEPS.get(made..));
    missing.ok_or_else(|| Error::Newer { path: path.to_owned(), found, known: FORMAT })
}

pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Renames a damaged file to the first free name, and drops what belongs to it.
fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    let free = (1_u32..).map(|n| path.with_extension(format!("db.damaged-{n}"))).find(|name| !name.exists());
    let aside = free.unwrap_or_else(|| path.with_extension("db.damaged"));
    std::fs::rename(path, &aside).map_err(Error::folder(path))?;
    for belonging in ["db-wal", "db-shm"] {
        // They belong to the damaged file and would damage the new one.
        match std::fs::remove_file(path.with_extension(belonging)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::folder(path.with_extension(belonging))(error));
            }
            _ => {}
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_set_aside_and_a_new_one_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        for n in 1..=2 {
            std::fs::write(&path, vec![b'x'; 8192]).unwrap();
            let (database, aside) = open(folder.path(), false).unwrap();
            let aside = aside.unwrap();
            assert_eq!(aside, folder.path().join(format!("state.db.damaged-{n}")));
            assert_eq!(std::fs::read(aside).unwrap(), vec![b'x'; 8192]);
            assert_eq!(database.query_row("SELECT count(*) FROM uploads", [], |row| row.get(0)), Ok(0));
        }
    }

    /// A page of the uploads, that nothing reads when the file is opened.
    fn damage_a_page(path: &Path, root: &str) {
        let (page, size): (i64, i64) = {
            let database = Connection::open(path).unwrap();
            let root_page = "SELECT rootpage FROM sqlite_master WHERE name = ?1";
            let page = database.query_row(root_page, [root], |row| row.get(0)).unwrap();
            (page, database.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap())
        };
        let mut bytes = std::fs::read(path).unwrap();
        let [from, size] = [(page - 1) * size, size].map(|bytes| usize::try_from(bytes).unwrap());
        bytes[from..from + size].fill(0xa5);
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_page_in_the_middle_is_damage_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        drop(open(folder.path(), false).unwrap());
        damage_a_page(&path, "uploads");
        let (database, aside) = open(folder.path(), false).unwrap();
        assert!(aside.is_some());
        assert_eq!(database.query_row("SELECT count(*) FROM uploads", [], |row| row.get(0)), Ok(0));
    }

    #[test]
    fn a_large_file_is_read_when_somebody_died() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let (database, _) = open(folder.path(), false).unwrap();
        let size = i64::try_from(READ_AT_ONCE).unwrap();
        database.execute("INSERT INTO notes (key, value) VALUES ('a', hex(zeroblob(?1)))", [size]).unwrap();
        drop(database);
        damage_a_page(&path, "uploads");
        assert_eq!(open(folder.path(), false).unwrap().1, None);
        assert!(open(folder.path(), true).unwrap().1.is_some());
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = open(folder.path(), false).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 99, known: FORMAT, .. }), "{error}");
        assert!(path.exists());
    }

    #[test]
    fn a_file_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let write = |database: &Connection| {
            let note = "INSERT INTO notes (key, value) VALUES ('a', 'b')";
            database.execute(note, []).unwrap()
        };
        write(&open(folder.path(), false).unwrap().0);
        let (database, aside) = open(folder.path(), false).unwrap();
        assert_eq!(aside, None);
        assert_eq!(database.query_row("SELECT count(*) FROM notes", [], |row| row.get(0)), Ok(1));
    }
}
