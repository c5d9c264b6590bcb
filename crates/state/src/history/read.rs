//! Reading what runs did.

use super::{
    CommandLine, History, RunDetail, RunEnding, StepProgress, StoredFailure, StoredPackage, StoredRun,
    StoredStep, StoredWarning,
};
use crate::Error;
use crate::times::{told, told_if_any};
use pipeline::{FileName, PackageId, StepRef};
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Where a page of a list begins: behind an entry of the page before. New entries do not move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(i64);

/// A number, for a command line.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A page of a list, the newest entries first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins; `None` if this one is the last.
    pub next: Option<Cursor>,
}

const RUN: &str = "number, id, life, begun, ended, exit, command, version, host, dry_run";
const PACKAGE: &str = "p.number, r.id AS run, r.dry_run, p.recipe, p.server, p.file, p.record, p.begun, p.ended, p.status, \
                       p.reason, p.bytes_sent, p.bytes_fetched, p.bytes_saved, p.failed_step, p.failed_processor, \
                       p.failure, p.failure_hint";

impl History {
    /// Runs, the newest first: as many as asked for, behind `from`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn runs(&self, at_most: NonZeroU32, from: Option<Cursor>) -> Result<Page<StoredRun>, Error> {
        let database = self.state.database();
        let select =
            format!("SELECT {RUN} FROM runs WHERE ?1 IS NULL OR number < ?1 ORDER BY number DESC LIMIT ?2");
        let mut select = database.prepare_cached(&select)?;
        let mut rows = select.query(params![from.map(|cursor| cursor.0), one_more(at_most)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((row.get("number")?, self.run_of(&database, row)?));
        }
        Ok(page(found, at_most))
    }

    /// The run whose id begins so, with all that is known of it.
    ///
    /// # Errors
    /// When several begin so, or it cannot be read.
    pub fn run(&self, beginning: &str) -> Result<Option<RunDetail>, Error> {
        let database = self.state.database();
        // Compared byte by byte: `%` and case mean nothing here. The id itself wins over longer ones.
        let select = format!(
            "SELECT {RUN} FROM runs WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id = ?1 DESC, number DESC LIMIT 10"
        );
        let mut select = database.prepare_cached(&select)?;
        let mut rows = select.query([beginning])?;
        let mut found: Vec<(i64, StoredRun)> = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((row.get("number")?, self.run_of(&database, row)?));
        }
        let exact = found.first().is_some_and(|(_, run)| run.id.as_str() == beginning);
        if found.len() > 1 && !exact {
            let ids = found.into_iter().map(|(_, run)| run.id).collect();
            return Err(Error::Ambiguous { beginning: beginning.to_owned(), ids });
        }
        let Some((number, run)) = found.into_iter().next() else { return Ok(None) };
        let select = format!(
            "SELECT {PACKAGE} FROM packages p JOIN runs r ON r.number = p.run WHERE p.run = ?1 ORDER BY p.number"
        );
        let packages = packages(&database, &select, params![number])?;
        let packages = packages.into_iter().map(|(_, package)| package).collect();
        let of_run = "SELECT step, processor, message, hint FROM warnings WHERE run = ?1 AND package IS NULL \
                      ORDER BY number";
        let warnings = warnings(&database, of_run, number)?;
        Ok(Some(RunDetail { run, packages, warnings }))
    }

    /// The names of all files that runs had to do with, each once.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn files(&self) -> Result<Vec<String>, Error> {
        let database = self.state.database();
        let select = "SELECT DISTINCT file FROM packages WHERE file IS NOT NULL ORDER BY file";
        let mut select = database.prepare_cached(select)?;
        let names = select.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// What was done with a file of this name, in any spelling and on any server, the newest first: as many as asked for, behind
    /// `from`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn packages_named(
        &self,
        name: &FileName,
        at_most: NonZeroU32,
        from: Option<Cursor>,
    ) -> Result<Page<StoredPackage>, Error> {
        let mut spellings = name.spellings().into_iter();
        let mut spelling = || spellings.next();
        let (first, second, third) = (spelling(), spelling(), spelling());
        let select = format!(
            "SELECT {PACKAGE} FROM packages p JOIN runs r ON r.number = p.run WHERE p.file IN (?1, ?2, ?3) \
             AND (?4 IS NULL OR p.number < ?4) ORDER BY p.number DESC LIMIT ?5"
        );
        let values = params![first, second, third, from.map(|cursor| cursor.0), one_more(at_most)];
        Ok(page(packages(&self.state.database(), &select, values)?, at_most))
    }

    fn run_of(&self, database: &Connection, row: &Row<'_>) -> Result<StoredRun, Error> {
        let (number, life): (i64, String) = (row.get("number")?, row.get("life")?);
        let (id, command): (String, String) = (row.get("id")?, row.get("command")?);
        let ended = told_if_any(row.get("ended")?)?;
        let exit: Option<u8> = row.get("exit")?;
        let ending = match ended.zip(exit) {
            Some((at, exit)) => RunEnding::Ended { at, exit },
            None if self.goes_on(number, &life) => RunEnding::GoesOn,
            None => RunEnding::Gone,
        };
        let mut run = StoredRun {
            id: id.parse().map_err(|_| Error::Entry { what: "the id of a run" })?,
            begun: told(row.get("begun")?)?,
            ending,
            command: CommandLine::from_stored(&command),
            version: row.get("version")?,
            host: row.get("host")?,
            dry_run: row.get("dry_run")?,
            statuses: BTreeMap::new(),
            open: 0,
            bytes_sent: 0,
            bytes_saved: 0,
        };
        let sums = "SELECT status, count(*), sum(bytes_sent), sum(bytes_saved) FROM packages WHERE run = ?1 GROUP BY status";
        let mut sums = database.prepare_cached(sums)?;
        let mut rows = sums.query([number])?;
        while let Some(row) = rows.next()? {
            let count = bytes(row.get(1)?);
            match row.get(0)? {
                Some(status) => drop(run.statuses.insert(status, count)),
                None => run.open = count,
            }
            run.bytes_sent += bytes(row.get(2)?);
            run.bytes_saved += bytes(row.get(3)?);
        }
        Ok(run)
    }
}

/// One more than asked for tells whether there is another page.
fn one_more(at_most: NonZeroU32) -> i64 {
    i64::from(at_most.get()) + 1
}

fn page<T>(mut found: Vec<(i64, T)>, at_most: NonZeroU32) -> Page<T> {
    let at_most = usize::try_from(at_most.get()).unwrap_or(usize::MAX);
    let more = found.len() > at_most;
    found.truncate(at_most);
    let next = found.last().filter(|_| more).map(|(number, _)| Cursor(*number));
    Page { items: found.into_iter().map(|(_, item)| item).collect(), next }
}

fn packages(
    database: &Connection,
    select: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<(i64, StoredPackage)>, Error> {
    let mut select = database.prepare_cached(select)?;
    let mut rows = select.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let number = row.get("number")?;
        found.push((number, package(database, number, row)?));
    }
    Ok(found)
}

fn package(database: &Connection, number: i64, row: &Row<'_>) -> Result<StoredPackage, Error> {
    let id: String = row.get("run")?;
    let file: Option<String> = row.get("file")?;
    let failure: Option<String> = row.get("failure")?;
    let failure = match failure {
        Some(message) => {
            let step = step(row.get("failed_step")?, row.get("failed_processor")?);
            Some(StoredFailure { step, message, hint: row.get("failure_hint")? })
        }
        None => None,
    };
    let of_package = "SELECT step, processor, message, hint FROM warnings WHERE package = ?1 ORDER BY number";
    Ok(StoredPackage {
        run: id.parse().map_err(|_| Error::Entry { what: "the id of a run" })?,
        dry_run: row.get("dry_run")?,
        recipe: row.get("recipe")?,
        server: row.get("server")?,
        file: file.map(|file| file.parse()).transpose().map_err(|_| Error::Entry { what: "a file name" })?,
        record: record(row.get("record")?)?,
        begun: told(row.get("begun")?)?,
        ended: told_if_any(row.get("ended")?)?,
        status: row.get("status")?,
        reason: row.get("reason")?,
        bytes_sent: bytes(row.get("bytes_sent")?),
        bytes_fetched: bytes(row.get("bytes_fetched")?),
        bytes_saved: bytes(row.get("bytes_saved")?),
        failure,
        steps: steps(database, number)?,
        warnings: warnings(database, of_package, number)?,
    })
}

fn steps(database: &Connection, package: i64) -> Result<Vec<StoredStep>, Error> {
    let select =
        "SELECT number, processor, progress, message, at FROM steps WHERE package = ?1 ORDER BY number";
    let mut select = database.prepare_cached(select)?;
    let mut rows = select.query([package])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let word: String = row.get(2)?;
        found.push(StoredStep {
            step: StepRef { number: number_of(row.get(0)?), processor: row.get(1)? },
            progress: StepProgress::parse(&word).ok_or(Error::Entry { what: "the progress of a step" })?,
            message: row.get(3)?,
            at: told_if_any(row.get(4)?)?,
        });
    }
    Ok(found)
}

fn warnings(database: &Connection, select: &str, of: i64) -> Result<Vec<StoredWarning>, Error> {
    let mut select = database.prepare_cached(select)?;
    let warnings = select.query_map([of], |row| {
        Ok(StoredWarning { step: step(row.get(0)?, row.get(1)?), message: row.get(2)?, hint: row.get(3)? })
    })?;
    Ok(warnings.collect::<Result<_, _>>()?)
}

fn step(number: Option<i64>, processor: Option<String>) -> Option<StepRef> {
    number.zip(processor).map(|(number, processor)| StepRef { number: number_of(number), processor })
}

fn number_of(stored: i64) -> usize {
    usize::try_from(stored).unwrap_or(usize::MAX)
}

fn bytes(stored: i64) -> u64 {
    stored.cast_unsigned()
}

/// The id of a record, if there is one.
pub(crate) fn record(stored: Option<i64>) -> Result<Option<PackageId>, Error> {
    let record = stored.map(|id| PackageId::try_from(id.cast_unsigned())).transpose();
    record.map_err(|_| Error::Entry { what: "the id of a record" })
}
