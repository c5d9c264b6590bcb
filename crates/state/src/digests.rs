//! Digests of local files, by path and identity.

use crate::times::stored;
use crate::{Error, State};
use fingerprint::{FileIdentity, Fingerprint, Memory};
use pipeline::{Md5, Sha3_512};
use rusqlite::{OptionalExtension as _, Row, params};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

impl Memory for State {
    fn recall(&self, path: &Path, identity: &FileIdentity) -> Option<Fingerprint> {
        // What cannot be read is computed again.
        self.find(path, identity).ok().flatten()
    }

    fn remember(&self, path: &Path, identity: &FileIdentity, fingerprint: Fingerprint) {
        // What is not kept is computed again.
        let _ = self.keep(path, identity, fingerprint);
    }
}

impl State {
    fn find(&self, path: &Path, identity: &FileIdentity) -> Result<Option<Fingerprint>, Error> {
        let Some(known) = Known::of(identity) else { return Ok(None) };
        let database = self.database();
        let mut find = database.prepare_cached(
            "SELECT md5, sha3_512, used FROM digests WHERE path = ?1 AND size = ?2 AND modified = ?3 AND changed = ?4 \
             AND inode = ?5 AND device = ?6",
        )?;
        let found = find.query_row(
            params![bytes(path), known.size, known.modified, known.changed, known.inode, known.device],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        );
        let Some((md5, sha3_512, used)) = found.optional()? else { return Ok(None) };
        if let Some(today) = self.moment().map(stored)
            && is_worth_noting(used, today)
        {
            // If it is not noted, the entry goes too early, and the file is read again.
            let used = database.prepare_cached("UPDATE digests SET used = ?1 WHERE path = ?2");
            let _ = used.and_then(|mut used| used.execute(params![today, bytes(path)]));
        }
        Ok(Some(fingerprint(identity.size, md5, sha3_512)))
    }

    fn keep(&self, path: &Path, identity: &FileIdentity, found: Fingerprint) -> Result<(), Error> {
        let Some(known) = Known::of(identity) else { return Ok(()) };
        let database = self.database();
        let mut keep = database.prepare_cached(
            "INSERT OR REPLACE INTO digests (path, size, modified, changed, inode, device, md5, sha3_512, \
             used) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        keep.execute(params![
            bytes(path),
            known.size,
            known.modified,
            known.changed,
            known.inode,
            known.device,
            found.md5.as_bytes(),
            found.sha3_512.as_bytes(),
            self.moment().map(stored),
        ])?;
        Ok(())
    }
}

/// Whether a use is newer by so much that it matters to an age in days. A thousand unchanged packages are then not written
/// down twice a day, and a clock that was wrong by years is put right.
fn is_worth_noting(noted: Option<i64>, today: i64) -> bool {
    const HOUR: u64 = 3_600_000;
    noted.is_none_or(|noted| noted.abs_diff(today) >= HOUR)
}

/// An identity in SQLite's integers.
pub(crate) struct Known {
    pub size: i64,
    pub modified: i64,
    pub changed: i64,
    pub inode: i64,
    pub device: i64,
}

impl Known {
    /// `None` for times beyond the year 2262 and sizes beyond 8 EiB, which no file has that was not made to.
    pub(crate) fn of(identity: &FileIdentity) -> Option<Self> {
        Some(Self {
            size: i64::try_from(identity.size).ok()?,
            modified: i64::try_from(identity.modified).ok()?,
            changed: i64::try_from(identity.changed).ok()?,
            inode: identity.inode.cast_signed(),
            device: identity.device.cast_signed(),
        })
    }

    /// Reads five columns from `first` on.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<FileIdentity> {
        let number = |offset| row.get::<_, i64>(first + offset);
        Ok(FileIdentity {
            size: number(0)?.unsigned_abs(),
            modified: number(1)?.into(),
            changed: number(2)?.into(),
            inode: number(3)?.cast_unsigned(),
            device: number(4)?.cast_unsigned(),
        })
    }
}

pub(crate) fn fingerprint(size: u64, md5: [u8; 16], sha3_512: [u8; 64]) -> Fingerprint {
    Fingerprint { size, md5: Md5::from_bytes(md5), sha3_512: Sha3_512::from_bytes(sha3_512) }
}

/// A path as bytes: not every path is text.
pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

#[cfg(unix)]
pub(crate) fn to_path(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
pub(crate) fn to_path(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(|text| OsString::from(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: FileIdentity =
        FileIdentity { size: 3, modified: 1_700_000_000_000_000_001, changed: 2, inode: u64::MAX, device: 5 };

    fn digests(byte: u8) -> Fingerprint {
        fingerprint(3, [byte; 16], [byte; 64])
    }

    #[test]
    fn what_is_remembered_holds_for_this_file_alone() {
        let state = State::in_memory().unwrap();
        let path = Path::new("/packages/App.pkg");
        state.remember(path, &IDENTITY, digests(7));
        assert_eq!(state.recall(path, &IDENTITY), Some(digests(7)));
        assert_eq!(state.recall(Path::new("/packages/Other.pkg"), &IDENTITY), None);
        for other in [
            FileIdentity { size: 4, ..IDENTITY },
            FileIdentity { modified: IDENTITY.modified + 1, ..IDENTITY },
            FileIdentity { changed: 3, ..IDENTITY },
            FileIdentity { inode: 1, ..IDENTITY },
            FileIdentity { device: 1, ..IDENTITY },
        ] {
            assert_eq!(state.recall(path, &other), None, "{other:?}");
        }
    }

    #[test]
    fn a_path_has_one_entry() {
        let state = State::in_memory().unwrap();
        let path = Path::new("/packages/App.pkg");
        let newer = FileIdentity { modified: 9, ..IDENTITY };
        state.remember(path, &IDENTITY, digests(7));
        state.remember(path, &newer, digests(8));
        assert_eq!(state.recall(path, &newer), Some(digests(8)));
        assert_eq!(state.recall(path, &IDENTITY), None);
    }

    #[test]
    fn an_identity_that_sqlite_cannot_hold_is_not_remembered() {
        let state = State::in_memory().unwrap();
        let odd = FileIdentity { modified: i128::MAX, ..IDENTITY };
        state.remember(Path::new("/a"), &odd, digests(1));
        assert_eq!(state.recall(Path::new("/a"), &odd), None);
    }
}
