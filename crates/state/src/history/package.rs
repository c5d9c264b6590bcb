//! Writing down what a run does with one package.

use super::StepProgress;
use super::log::Shared;
use pipeline::{FileName, PackageId, StepRef};
use rusqlite::{Connection, params};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A package whose turn has come.
#[derive(Clone, Debug)]
pub struct NewPackage<'a> {
    /// The recipe, as it was asked for.
    pub recipe: &'a str,
    /// What is known of it already.
    pub facts: PackageFacts<'a>,
}

/// What becomes known of a package on the way. What is not known stays `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct PackageFacts<'a> {
    /// Address of the server.
    pub server: Option<&'a str>,
    /// The name of the file.
    pub file: Option<&'a FileName>,
    /// The id of its record.
    pub record: Option<PackageId>,
}

/// What came of a package.
#[derive(Clone, Debug)]
pub struct PackageEnd<'a> {
    /// In one word, as the report has it: `created`, `metadata-only`.
    pub status: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Bytes of the file that were sent.
    pub bytes_sent: u64,
    /// Bytes of the file that were fetched.
    pub bytes_fetched: u64,
    /// Bytes that the server had already.
    pub bytes_saved: u64,
    /// Why it failed.
    pub failure: Option<Failed<'a>>,
}

/// Why a package failed.
#[derive(Clone, Debug)]
pub struct Failed<'a> {
    /// The step; `None` if the recipe did not get as far as steps.
    pub step: Option<&'a StepRef>,
    /// What failed, and why.
    pub message: &'a str,
    /// What to do next.
    pub hint: Option<&'a str>,
}

/// What one package of a run comes to. It is the [`Listener`](pipeline::Listener) of that package: steps and warnings are taken
/// from its events.
///
/// A listener must not block. Writing takes some ten microseconds; while another process writes it waits for that, and where another
/// one stands still for ten seconds while it writes, the log gives up, once for the run.
pub struct PackageLog {
    shared: Arc<Shared>,
    /// `None` if it could not be written.
    number: Option<i64>,
    /// What is not written yet.
    held: Mutex<Vec<StepEntry>>,
}

/// How far a step came.
struct StepEntry {
    number: i64,
    processor: String,
    progress: StepProgress,
    message: Option<String>,
    at: i64,
}

/// How long a step is held back, in milliseconds.
const HELD: i64 = 1000;

impl PackageLog {
    pub(super) fn begin(shared: Arc<Shared>, package: &NewPackage<'_>) -> Self {
        let NewPackage { recipe, facts: PackageFacts { server, file, record } } = package;
        let now = shared.now();
        let number = shared.write(|database| {
            let insert = "INSERT INTO packages (run, recipe, server, file, record, begun) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let (file, record) = (file.map(FileName::as_str), record.map(to_stored));
            let row = params![shared.number, recipe, server, file, record, now];
            database.prepare_cached(insert)?.execute(row)?;
            Ok(database.last_insert_rowid())
        });
        Self { shared, number, held: Mutex::default() }
    }

    /// Adds what has become known.
    pub fn learn(&self, facts: &PackageFacts<'_>) {
        let PackageFacts { server, file, record } = facts;
        self.write(|database, number| {
            let update = "UPDATE packages SET server = coalesce(?1, server), file = coalesce(?2, file), \
                          record = coalesce(?3, record) WHERE number = ?4";
            let (file, record) = (file.map(FileName::as_str), record.map(to_stored));
            database.prepare_cached(update)?.execute(params![server, file, record, number])
        });
    }

    /// Adds a warning; one that was said already is not said again.
    pub fn warn(&self, step: Option<&StepRef>, message: &str, hint: Option<&str>) {
        self.write(|database, number| self.add_warning(database, number, step, message, hint));
    }

    /// Takes what came of it.
    pub fn end(&self, end: &PackageEnd<'_>) {
        let failure = end.failure.as_ref();
        let step = failure.and_then(|failure| failure.step);
        let now = self.shared.now();
        self.write(|database, number| {
            let update = "UPDATE packages SET ended = ?1, status = ?2, reason = ?3, bytes_sent = ?4, bytes_fetched = ?5, \
                          bytes_saved = ?6, failed_step = ?7, failed_processor = ?8, failure = ?9, failure_hint = ?10 \
                          WHERE number = ?11";
            database.prepare_cached(update)?.execute(params![
                now,
                end.status,
                end.reason,
                end.bytes_sent.cast_signed(),
                end.bytes_fetched.cast_signed(),
                end.bytes_saved.cast_signed(),
                step.map(number_of),
                step.map(|step| &step.processor),
                failure.map(|failure| failure.message),
                failure.and_then(|failure| failure.hint),
                number,
            ])
        });
    }

    /// The recipe starts, perhaps for a second time: all its steps are still to come.
    pub(super) fn steps(&self, steps: &[StepRef]) {
        self.write(|database, number| {
            database.prepare_cached("DELETE FROM steps WHERE package = ?1")?.execute([number])?;
            let insert = "INSERT INTO steps (package, number, processor, progress) VALUES (?1, ?2, ?3, ?4)";
            let mut insert = database.prepare_cached(insert)?;
            let waiting = StepProgress::Waiting.word();
            for step in steps {
                insert.execute(params![number, number_of(step), step.processor, waiting])?;
            }
            Ok(())
        });
    }

    /// A step came so far.
    pub(super) fn step(&self, step: &StepRef, progress: StepProgress, message: Option<&str>) {
        let entry = self.entry(step, progress, message);
        self.write(|database, number| entry.write(database, number));
    }

    /// As [`step`](PackageLog::step), with the next thing that is written.
    pub(super) fn hold(&self, step: &StepRef, progress: StepProgress, message: Option<&str>) {
        let entry = self.entry(step, progress, message);
        let mut held = self.held();
        let is_time = held.first().is_some_and(|first| entry.at.saturating_sub(first.at) >= HELD);
        held.push(entry);
        drop(held);
        if is_time {
            self.write_held();
        }
    }

    /// Nothing is held back any longer.
    pub(super) fn write_held(&self) {
        if !self.held().is_empty() {
            self.write(|_, _| Ok(()));
        }
    }

    fn entry(&self, step: &StepRef, progress: StepProgress, message: Option<&str>) -> StepEntry {
        StepEntry {
            number: number_of(step),
            processor: step.processor.clone(),
            progress,
            message: message.map(str::to_owned),
            at: self.shared.now(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Vec<StepEntry>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_warning(
        &self,
        database: &Connection,
        package: i64,
        step: Option<&StepRef>,
        message: &str,
        hint: Option<&str>,
    ) -> rusqlite::Result<usize> {
        let insert = "INSERT INTO warnings (run, package, step, processor, message, hint) \
                      SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM warnings \
                      WHERE package = ?2 AND step IS ?3 AND message = ?5 AND hint IS ?6)";
        let (number, processor) = (step.map(number_of), step.map(|step| &step.processor));
        let row = params![self.shared.number, package, number, processor, message, hint];
        database.prepare_cached(insert)?.execute(row)
    }

    fn write<T>(&self, write: impl FnOnce(&Connection, i64) -> rusqlite::Result<T>) {
        let Some(number) = self.number else { return };
        let held = std::mem::take(&mut *self.held());
        self.shared.write(|database| {
            let transaction = database.unchecked_transaction()?;
            held.iter().try_for_each(|entry| entry.write(&transaction, number).map(drop))?;
            write(&transaction, number)?;
            transaction.commit()
        });
    }
}

impl Drop for PackageLog {
    fn drop(&mut self) {
        self.write_held();
    }
}

impl StepEntry {
    fn write(&self, database: &Connection, package: i64) -> rusqlite::Result<usize> {
        let insert = "INSERT INTO steps (package, number, processor, progress, message, at) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (package, number) DO UPDATE SET \
                      progress = excluded.progress, message = coalesce(excluded.message, message), at = excluded.at";
        let Self { number, processor, progress, message, at } = self;
        let row = params![package, number, processor, progress.word(), message, at];
        database.prepare_cached(insert)?.execute(row)
    }
}

fn number_of(step: &StepRef) -> i64 {
    i64::try_from(step.number).unwrap_or(i64::MAX)
}

fn to_stored(id: PackageId) -> i64 {
    id.get().cast_signed()
}

impl fmt::Debug for PackageLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageLog").field("run", &self.shared.id).finish_non_exhaustive()
    }
}
