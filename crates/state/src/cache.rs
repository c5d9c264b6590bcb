//! How much is remembered of local files, and for how long.

use crate::digests::to_path;
use crate::times::{stored, told_if_any};
use crate::{Error, State, compact};
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};
use std::io::ErrorKind;
use std::path::Path;

/// The digests that are remembered.
#[derive(Clone, Debug)]
pub struct DigestCache {
    state: State,
}

/// What the cache holds, and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheFacts {
    /// Files whose digests are remembered.
    pub entries: u64,
    /// Bytes on disk, of the whole state: the cache shares its file with the history and journals of uploads.
    pub bytes_on_disk: u64,
    /// Bytes of them that are free, and would be given back by [`State::compact`].
    pub bytes_free: u64,
    /// When the entry that was not used for longest was used. `None` if there is none whose use is known.
    pub oldest_use: Option<Timestamp>,
    /// Entries of an earlier version, which did not know when they were used.
    pub use_unknown: u64,
}

/// Which entries are kept: those that fulfil every condition that is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheKeep {
    /// Those used then or later. The age of an entry whose use is unknown counts from the first time that the cache is
    /// pruned.
    pub used_since: Option<Timestamp>,
    /// Those used last, so many.
    pub entries: Option<u64>,
    /// Whether the file has to be there.
    pub files: CachedFiles,
}

/// Whether an entry is worth something without its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CachedFiles {
    /// It is: the file may be on a disk that is not mounted now.
    #[default]
    Any,
    /// It is not.
    Present,
}

/// What went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CachePruned {
    /// Entries.
    pub entries: u64,
}

impl DigestCache {
    pub(crate) fn new(state: State) -> Self {
        Self { state }
    }

    /// What it holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn facts(&self) -> Result<CacheFacts, Error> {
        let database = self.state.database();
        let select = "SELECT count(*), count(used), min(used) FROM digests";
        let (entries, known, oldest) = database
            .query_row(select, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?)))?;
        Ok(CacheFacts {
            entries: entries.cast_unsigned(),
            bytes_on_disk: self.state.bytes_on_disk(&database)?,
            bytes_free: compact::pages(&database, "freelist_count")?,
            oldest_use: told_if_any(oldest)?,
            use_unknown: (entries - known).cast_unsigned(),
        })
    }

    /// How much [`prune`](DigestCache::prune) would remove.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn prunable(&self, keep: CacheKeep) -> Result<CachePruned, Error> {
        let entries = outdated(&self.state.database(), keep)?;
        Ok(CachePruned { entries: gone(entries, keep).len() as u64 })
    }

    /// Removes the entries that are not kept. Their files are read again when they are needed.
    ///
    /// # Errors
    /// When it cannot be written; then nothing is removed.
    pub fn prune(&self, keep: CacheKeep) -> Result<CachePruned, Error> {
        let entries = outdated(&self.state.database(), keep)?;
        // Not while the database is held: a disk may be slow to say what is there.
        let gone = gone(entries, keep);
        let mut database = self.state.database();
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut pruned = CachePruned::default();
        {
            // An entry that was used or replaced meanwhile stays.
            let mut delete =
                transaction.prepare_cached("DELETE FROM digests WHERE path = ?1 AND used IS ?2")?;
            for Entry { path, used, .. } in gone {
                pruned.entries += delete.execute(params![path, used])? as u64;
            }
        }
        if let Some(today) = self.state.moment() {
            transaction.execute("UPDATE digests SET used = ?1 WHERE used IS NULL", [stored(today)])?;
        }
        transaction.commit()?;
        Ok(pruned)
    }
}

struct Entry {
    path: Vec<u8>,
    used: Option<i64>,
    /// Whether it is to go whatever becomes of its file.
    outdated: bool,
}

/// All entries, and which of them are too old or too many.
fn outdated(database: &Connection, keep: CacheKeep) -> Result<Vec<Entry>, Error> {
    let select = "SELECT path, used FROM digests ORDER BY used DESC NULLS LAST, path";
    let mut select = database.prepare_cached(select)?;
    let mut rows = select.query([])?;
    let since = keep.used_since.map(stored);
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(row) = rows.next()? {
        let used: Option<i64> = row.get(1)?;
        let too_old = used.zip(since).is_some_and(|(used, since)| used < since);
        let too_many = keep.entries.is_some_and(|most| entries.len() as u64 >= most);
        entries.push(Entry { path: row.get(0)?, used, outdated: too_old || too_many });
    }
    Ok(entries)
}

fn gone(entries: Vec<Entry>, keep: CacheKeep) -> Vec<Entry> {
    let is_gone = |entry: &Entry| match keep.files {
        _ if entry.outdated => true,
        CachedFiles::Any => false,
        CachedFiles::Present => to_path(entry.path.clone()).is_none_or(|path| is_missing(&path)),
    };
    entries.into_iter().filter(is_gone).collect()
}

/// What cannot be looked at may be there.
fn is_missing(path: &Path) -> bool {
    let missing = [ErrorKind::NotFound, ErrorKind::NotADirectory];
    std::fs::metadata(path).is_err_and(|error| missing.contains(&error.kind()))
}
