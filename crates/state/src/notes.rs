//! Small texts that are worth a request: what a server of one version says of itself.

use crate::times::{stored, told_if_any};
use crate::{Error, State};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

/// Older ones go. A server gets another one with each version.
const KEPT: i64 = 100;

/// A value, and how old it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What was noted.
    pub value: String,
    /// On which day, as [`State::today`] said it; `None` if nobody had said it.
    pub noted: Option<Timestamp>,
}

impl State {
    /// What was noted under this key. What cannot be read is not there: nothing is lost with it but a request.
    #[must_use]
    pub fn note(&self, key: &str) -> Option<String> {
        self.aged_note(key).map(|note| note.value)
    }

    /// As [`note`](State::note), with its age.
    #[must_use]
    pub fn aged_note(&self, key: &str) -> Option<Note> {
        self.find_note(key).ok().flatten()
    }

    /// Notes a value in the place of an earlier one. What cannot be kept is found out again.
    pub fn put_note(&self, key: &str, value: &str) {
        let _ = self.keep_note(key, value);
    }

    fn find_note(&self, key: &str) -> Result<Option<Note>, Error> {
        let database = self.database();
        let mut find = database.prepare_cached("SELECT value, noted FROM notes WHERE key = ?1")?;
        let found = find.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        found.map(|(value, noted)| Ok(Note { value, noted: told_if_any(noted)? })).transpose()
    }

    fn keep_note(&self, key: &str, value: &str) -> Result<(), Error> {
        let noted = self.moment().map(stored);
        let mut database = self.database();
        let transaction = database.transaction()?;
        // Replacing gives a new number, so that the lowest numbers are the oldest notes.
        transaction.execute(
            "INSERT OR REPLACE INTO notes (key, value, noted) VALUES (?1, ?2, ?3)",
            params![key, value, noted],
        )?;
        transaction.execute(
            "DELETE FROM notes WHERE number NOT IN (SELECT number FROM notes ORDER BY number DESC LIMIT ?1)",
            [KEPT],
        )?;
        Ok(transaction.commit()?)
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
    fn a_note_has_an_age() {
        let state = State::in_memory().unwrap();
        state.put_note("a", "one");
        assert_eq!(state.aged_note("a").unwrap().noted, None);
        let day = "2026-11-20T22:00:00Z".parse().unwrap();
        state.today(day);
        state.put_note("a", "two");
        assert_eq!(state.aged_note("a"), Some(Note { value: "two".into(), noted: Some(day) }));
    }

    #[test]
    fn a_note_that_is_often_replaced_drives_out_no_other() {
        let state = State::in_memory().unwrap();
        state.put_note("seldom", "x");
        for _ in 0..KEPT {
            state.put_note("often", "x");
            state.put_note("often too", "x");
        }
        assert!(state.note("seldom").is_some());
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
