//! Writing down what a run does.

use super::{CommandLine, History, NewPackage, PackageLog, RunId};
use crate::times::stored;
use crate::{Error, State};
use pipeline::Clock;
use rusqlite::{Connection, params};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A run that is about to begin.
#[derive(Clone, Debug)]
pub struct NewRun<'a> {
    /// Its id; its report has the same.
    pub id: &'a RunId,
    /// What was typed.
    pub command: &'a CommandLine,
    /// The version of pkgferry.
    pub version: &'a str,
    /// The name of this machine.
    pub host: &'a str,
    /// Whether nothing will be changed, on purpose.
    pub dry_run: bool,
}

/// What a run does is written here. Each call is on disk when it returns, so that a killed process leaves what was known; of
/// events, what a step found while it only looked may come a second later.
///
/// Nothing hangs on it: what cannot be written is left out, after one failure everything that is only told by events is, so that
/// a run does not wait for a locked file again and again, and [`end`](RunLog::end) tells why.
#[derive(Clone)]
pub struct RunLog {
    shared: Arc<Shared>,
}

/// A run, as its packages share it.
pub(super) struct Shared {
    state: State,
    clock: Arc<dyn Clock>,
    pub(super) number: i64,
    pub(super) id: RunId,
    trouble: Mutex<Option<Error>>,
}

impl History {
    /// Writes down that a run begins now, by this clock. It goes on as long as the value or one of its packages lives.
    ///
    /// # Errors
    /// When it cannot be written, or there is a run with this id.
    pub fn begin_run(&self, run: &NewRun<'_>, clock: Arc<dyn Clock>) -> Result<RunLog, Error> {
        let now = clock.now();
        self.state.today(now);
        let database = self.state.database();
        database.execute(
            "INSERT INTO runs (id, life, begun, command, version, host, dry_run) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                run.id.as_str(),
                self.state.shared.life.name(),
                stored(now),
                run.command.to_stored(),
                run.version,
                run.host,
                run.dry_run,
            ],
        )?;
        let number = database.last_insert_rowid();
        // Before somebody else can ask, since the database is still held.
        self.state.running().insert(number);
        drop(database);
        let state = self.state.clone();
        let shared = Shared { state, clock, number, id: run.id.clone(), trouble: Mutex::default() };
        Ok(RunLog { shared: Arc::new(shared) })
    }
}

impl RunLog {
    /// The run's id.
    #[must_use]
    pub fn id(&self) -> &RunId {
        &self.shared.id
    }

    /// Begins a package.
    #[must_use]
    pub fn package(&self, package: &NewPackage<'_>) -> PackageLog {
        PackageLog::begin(Arc::clone(&self.shared), package)
    }

    /// Adds a warning that belongs to no package.
    pub fn warn(&self, message: &str, hint: Option<&str>) {
        self.shared.write(|database| {
            let insert = "INSERT INTO warnings (run, message, hint) VALUES (?1, ?2, ?3)";
            database.prepare_cached(insert)?.execute(params![self.shared.number, message, hint])
        });
    }

    /// The run ends, with the exit code that the process will have.
    ///
    /// # Errors
    /// Why something of the run could not be written, if that was so.
    pub fn end(self, exit: u8) -> Result<(), Error> {
        let now = self.shared.now();
        let update = "UPDATE runs SET ended = ?1, exit = ?2 WHERE number = ?3";
        let ended = self.shared.state.database().execute(update, params![now, exit, self.shared.number]);
        match self.shared.trouble().take() {
            Some(earlier) => Err(earlier),
            None => Ok(ended.map(|_| ())?),
        }
    }
}

impl Shared {
    pub(super) fn now(&self) -> i64 {
        stored(self.clock.now())
    }

    /// Writes, unless that has failed before.
    pub(super) fn write<T>(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        let mut trouble = self.trouble();
        if trouble.is_some() {
            return None;
        }
        match write(&self.state.database()) {
            Ok(written) => Some(written),
            Err(error) => {
                *trouble = Some(error.into());
                None
            }
        }
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Error>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was not ended is over, and nobody knows how.
impl Drop for Shared {
    fn drop(&mut self) {
        self.state.running().remove(&self.number);
        // If this fails, it seems to go on until this process ends.
        let give_up = "UPDATE runs SET life = '' WHERE number = ?1";
        let _ = self.state.database().execute(give_up, [self.number]);
    }
}

impl fmt::Debug for RunLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunLog").field("id", &self.shared.id).finish_non_exhaustive()
    }
}
