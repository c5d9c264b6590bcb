//! Small texts that are worth a request: what a server of one version says of itself.

use crate::{Error, State};
use rusqlite::{OptionalExtension as _, params};

/// Older ones go. A server gets another one with each version.
const KEPT: i64 = 100;

impl State {
    /// What was noted under this key. What cannot be read is not there: nothing is lost with it but a request.
    #[must_use]
    pub fn note(&self, key: &str) -> Option<String> {
        self.find_note(key).ok().flatten()
    }

    /// Notes a value in the place of an earlier one. What cannot be kept is found out again.
    pub fn put_note(&self, key: &str, value: &str) {
        let _ = self.keep_note(key, value);
    }

    fn find_note(&self, key: &str) -> Result<Option<String>, Error> {
        let database = self.database();
        let mut find = database.prepare_cached("SELECT value FROM notes WHERE key = ?1")?;
        Ok(find.query_row([key], |row| row.get(0)).optional()?)
    }

    fn keep_note(&self, key: &str, value: &str) -> Result<(), Error> {
        let database = self.database();
        // Replacing gives a new number, so that the lowest numbers are the oldest notes.
        database.execute("INSERT OR REPLACE INTO notes (key, value) VALUES (?1, ?2)", params![key, value])?;
        database.execute("DELETE FROM notes WHERE number <= (SELECT max(number) FROM notes) - ?1", [KEPT])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_outlasts_the_process_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let open = || State::open(folder.path()).unwrap().state;
        assert_eq!(open().note("a"), None);
        open().put_note("a", "one");
        open().put_note("b", "other");
        assert_eq!(open().note("a").as_deref(), Some("one"));
        open().put_note("a", "two");
        assert_eq!((open().note("a").as_deref(), open().note("b").as_deref()), (Some("two"), Some("other")));
    }

    #[test]
    fn the_oldest_notes_go() {
        let state = State::in_memory().unwrap();
        for number in 0..=KEPT {
            state.put_note(&number.to_string(), "x");
        }
        assert_eq!(state.note("0"), None);
        assert!(state.note("1").is_some() && state.note(&KEPT.to_string()).is_some());
    }
}
