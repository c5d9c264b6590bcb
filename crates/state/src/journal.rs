use crate::times::stored;
use crate::uploads::Phase;
use crate::{Error, State, StoredPart};
use fingerprint::{DigestState, Fingerprint};
use jiff::Timestamp;
use rusqlite::params;

/// The journal of one upload. It belongs to this process until the value is dropped; what is written stays until
/// [`close`](Journal::close).
#[derive(Debug)]
pub struct Journal {
    state: State,
    id: i64,
    is_closed: bool,
}

impl Journal {
    pub(crate) fn new(state: State, id: i64) -> Self {
        Self { state, id, is_closed: false }
    }

    /// Where it is kept.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// S3 has begun the upload, with this checksum. What an earlier upload left in the journal is forgotten.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begun(&self, upload_id: &str, checksum: &str) -> Result<(), Error> {
        let mut database = self.state.database();
        let transaction = database.transaction()?;
        transaction.execute("DELETE FROM parts WHERE upload = ?1", [self.id])?;
        transaction.execute(
            "UPDATE uploads SET upload_id = ?1, checksum = ?2 WHERE id = ?3",
            params![upload_id, checksum, self.id],
        )?;
        Ok(transaction.commit()?)
    }

    /// S3 has confirmed a part.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn part(&self, part: &StoredPart) -> Result<(), Error> {
        let database = self.state.database();
        let mut insert = database.prepare_cached(
            "INSERT OR REPLACE INTO parts (upload, number, size, etag, checksum) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        insert.execute(params![self.id, part.number, part.size.cast_signed(), part.etag, part.checksum])?;
        Ok(())
    }

    /// The digests of the file are known.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn digests(&self, found: Fingerprint) -> Result<(), Error> {
        let (md5, sha3_512) = (found.md5.as_bytes(), found.sha3_512.as_bytes());
        let update = "UPDATE uploads SET md5 = ?1, sha3_512 = ?2 WHERE id = ?3";
        self.state.database().execute(update, params![md5, sha3_512, self.id])?;
        Ok(())
    }

    /// Some of the file was hashed. It takes the place of what was written before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn digest_state(&self, state: &DigestState) -> Result<(), Error> {
        let database = self.state.database();
        let mut update = database.prepare_cached("UPDATE uploads SET digest_state = ?1 WHERE id = ?2")?;
        update.execute(params![state.to_bytes(), self.id])?;
        Ok(())
    }

    /// A phase is about to begin.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn phase(&self, phase: Phase, now: Timestamp) -> Result<(), Error> {
        let update = "UPDATE uploads SET phase = ?1, phase_since = ?2 WHERE id = ?3";
        self.state.database().execute(update, params![phase.word(), stored(now), self.id])?;
        Ok(())
    }

    /// The upload is over: it is in place, or S3 has forgotten it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(mut self) -> Result<(), Error> {
        let database = self.state.database();
        database.execute("DELETE FROM uploads WHERE id = ?1", [self.id])?;
        // While the database is held: the next journal to begin may get the same id.
        self.state.held().remove(&self.id);
        drop(database);
        self.is_closed = true;
        Ok(())
    }
}

/// What is not closed is left behind for the next run, of this process too.
impl Drop for Journal {
    fn drop(&mut self) {
        if self.is_closed {
            return;
        }
        let database = self.state.database();
        self.state.held().remove(&self.id);
        // If this fails, the others wait until this process ends.
        let _ = database.execute("UPDATE uploads SET life = '' WHERE id = ?1", [self.id]);
    }
}
