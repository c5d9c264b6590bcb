//! Giving room back to the disk.

use crate::{Error, State, database};
use rusqlite::{Connection, ErrorCode};
use std::time::Duration;

/// What compacting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compacted {
    /// The file is as small as it gets.
    Done {
        /// Bytes on disk before.
        before: u64,
        /// Bytes on disk now.
        after: u64,
    },
    /// Other processes use the file. Nothing is lost: what is free in it is used again.
    InUse,
}

impl State {
    /// Writes the file anew without what is free in it, and empties the log beside it. Others are not waited for.
    ///
    /// # Errors
    /// When the disk is full or the file cannot be read.
    pub fn compact(&self) -> Result<Compacted, Error> {
        let database = self.database();
        let before = self.bytes_on_disk(&database)?;
        database.busy_timeout(Duration::ZERO)?;
        let compacted = compact(&database);
        database.busy_timeout(database::BUSY)?;
        match compacted {
            Ok(true) => Ok(Compacted::Done { before, after: self.bytes_on_disk(&database)? }),
            Ok(false) => Ok(Compacted::InUse),
            Err(error) if is_busy(&error) => Ok(Compacted::InUse),
            Err(error) => Err(error.into()),
        }
    }

    /// Bytes of the file and the log beside it, which may be the larger one.
    pub(crate) fn bytes_on_disk(&self, database: &Connection) -> Result<u64, Error> {
        let Some(path) = database.path().filter(|path| !path.is_empty()) else {
            return Ok(pages(database, "page_count")?);
        };
        let size = |path: String| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        Ok(size(path.to_owned()) + size(format!("{path}-wal")))
    }
}

/// Bytes of the pages that a pragma counts.
pub(crate) fn pages(database: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    let number = |pragma| database.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    Ok(number(pragma)?.cast_unsigned() * number("page_size")?.cast_unsigned())
}

fn compact(database: &Connection) -> rusqlite::Result<bool> {
    if pages(database, "freelist_count")? > 0 {
        // The whole new file is in the log then, until the log is emptied.
        database.execute_batch("VACUUM")?;
    }
    let busy: bool = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!busy)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
