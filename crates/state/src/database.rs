//! The file: where it is, what is in it, and what happens to a damaged one.

use crate::Error;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const NAME: &str = "state.db";
/// The format that the [`STEPS`] lead to: how many they are.
const FORMAT: i64 = STEPS.len() as i64;
/// Another process writes for some milliseconds at a time.
const BUSY: Duration = Duration::from_secs(10);

/// What each format adds to the one before. A file is brought along from where it is; a step that was released stays as it is.
const STEPS: [&str; 3] = [
    FIRST,
    "ALTER TABLE uploads ADD COLUMN digest_state BLOB;",
    "CREATE TABLE notes (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL);",
];

const FIRST: &str = "
CREATE TABLE digests (
    path BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    device INTEGER NOT NULL,
    md5 BLOB NOT NULL,
    sha3_512 BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY,
    life TEXT NOT NULL,
    server TEXT NOT NULL,
    file TEXT NOT NULL,
    path BLOB NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    device INTEGER NOT NULL,
    endpoint TEXT,
    region TEXT NOT NULL,
    bucket TEXT NOT NULL,
    prefix TEXT NOT NULL,
    object_key TEXT NOT NULL,
    upload_id TEXT,
    checksum TEXT,
    part_size INTEGER NOT NULL,
    md5 BLOB,
    sha3_512 BLOB,
    phase TEXT NOT NULL,
    begun INTEGER NOT NULL
);
CREATE TABLE parts (
    upload INTEGER NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum TEXT,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
";

/// Opens the file in a folder; a damaged one is moved out of the way first.
pub(crate) fn open(folder: &Path) -> Result<(Connection, Option<PathBuf>), Error> {
    let path = folder.join(NAME);
    match connect(&path) {
        Err(Error::Database(error)) if is_damage(&error) => {
            let aside = set_aside(&path)?;
            Ok((connect(&path)?, Some(aside)))
        }
        opened => Ok((opened?, None)),
    }
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
    let said: String = database.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    Ok((said != "ok").then_some(said))
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let mut database = Connection::open(path)?;
    database.busy_timeout(BUSY)?;
    // A process may be killed at any instant; only the machine's own death can take the last entries away, and then an
    // upload is sent anew.
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "synchronous", "normal")?;
    database.pragma_update(None, "foreign_keys", true)?;
    bring_along(&mut database, path)?;
    Ok(database)
}

fn bring_along(database: &mut Connection, path: &Path) -> Result<(), Error> {
    // Two processes may find an empty file at the same time: the second one waits here, and finds it made.
    let transaction = database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = usize::try_from(found).ok().and_then(|made| STEPS.get(made..));
    let Some(missing) = missing else {
        return Err(Error::Newer { path: path.to_owned(), found, known: FORMAT });
    };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "user_version", FORMAT)?;
    }
    Ok(transaction.commit()?)
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
            let (database, aside) = open(folder.path()).unwrap();
            let aside = aside.unwrap();
            assert_eq!(aside, folder.path().join(format!("state.db.damaged-{n}")));
            assert_eq!(std::fs::read(aside).unwrap(), vec![b'x'; 8192]);
            assert_eq!(database.query_row("SELECT count(*) FROM uploads", [], |row| row.get(0)), Ok(0));
        }
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 99, known: FORMAT, .. }), "{error}");
        assert!(path.exists());
    }

    /// As a program of that format has left it.
    #[test]
    fn a_file_of_an_older_format_is_brought_along() {
        for made in 0..STEPS.len() {
            let folder = tempfile::tempdir().unwrap();
            let older = Connection::open(folder.path().join(NAME)).unwrap();
            STEPS[..made].iter().for_each(|step| older.execute_batch(step).unwrap());
            older.pragma_update(None, "user_version", made as i64).unwrap();
            if made > 0 {
                older.execute_batch(AN_UPLOAD).unwrap();
            }
            drop(older);
            let (database, aside) = open(folder.path()).unwrap();
            assert_eq!(aside, None);
            let format = database.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
            assert_eq!(format, Ok(FORMAT));
            let found = "SELECT count(object_key), count(digest_state) FROM uploads";
            let found = database.query_row(found, [], |row| Ok((row.get(0)?, row.get(1)?)));
            assert_eq!(found, Ok((i64::from(made > 0), 0)));
        }
    }

    const AN_UPLOAD: &str = "
        INSERT INTO uploads (life, server, file, path, size, modified, changed, inode, device, region, bucket, prefix,
                             object_key, part_size, phase, begun)
        VALUES ('', 's', 'App.pkg', x'61', 1, 2, 3, 4, 5, 'r', 'b', 'p/', 'p/App.pkg', 8388608, 'sending', 0);
    ";

    #[test]
    fn a_file_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let write = |database: &Connection| {
            let parts = "INSERT INTO digests VALUES (x'61', 1, 2, 3, 4, 5, x'00', x'00')";
            database.execute(parts, []).unwrap()
        };
        write(&open(folder.path()).unwrap().0);
        let (database, aside) = open(folder.path()).unwrap();
        assert_eq!(aside, None);
        assert_eq!(database.query_row("SELECT count(*) FROM digests", [], |row| row.get(0)), Ok(1));
    }
}
