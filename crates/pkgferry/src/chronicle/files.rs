//! The report as files, at every moment.

use crate::clock::SystemClock;
use crate::error::Error;
use crate::files::{self, Existing};
use jiff::Timestamp;
use pipeline::Clock as _;
use report::{Format, RunReport};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A report of a thousand packages takes some milliseconds to write; once in so many seconds is soon enough for a crash.
const EVERY_SECONDS: i64 = 2;

/// Where the report goes.
pub struct ReportFiles {
    files: Vec<(PathBuf, Format)>,
    clock: Arc<SystemClock>,
    written: Mutex<Option<Timestamp>>,
}

impl ReportFiles {
    /// Nothing is written yet.
    pub fn open(paths: &[PathBuf], clock: Arc<SystemClock>) -> Result<Self, Error> {
        let with_format = |path: &PathBuf| Ok((path.clone(), Format::of(path).map_err(Error::ReportShape)?));
        let files = paths.iter().map(with_format).collect::<Result<_, Error>>()?;
        Ok(Self { files, clock, written: Mutex::default() })
    }

    /// Whether all of them could be written. Nothing is: what is there may be the report of a run that goes on.
    pub fn probe(&self) -> Result<(), Error> {
        let mut paths = self.files.iter().map(|(path, _)| path).filter(|path| !is_stream(path));
        paths.try_for_each(|path| {
            files::probe(path).map_err(|source| Error::WriteFile { path: path.clone(), source })
        })
    }

    /// Writes all of them. One that fails keeps none of the others back.
    pub fn write(&self, report: &RunReport) -> Result<(), Error> {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now());
        let written = self.files.iter().map(|(path, format)| write(report, path, *format));
        written.fold(Ok(()), Result::and)
    }

    /// Writes those that surely are no other run's.
    pub fn write_own(&self, report: &RunReport) -> Result<(), Error> {
        let own = self.files.iter().filter(|(path, format)| !may_be_anothers(path, *format));
        own.map(|(path, format)| write(report, path, *format)).fold(Ok(()), Result::and)
    }

    /// Whether one of them may be the report of a run that goes on.
    pub fn may_be_anothers(&self) -> bool {
        self.files.iter().any(|(path, format)| may_be_anothers(path, *format))
    }

    /// Writes them unless that was just done.
    pub fn write_now_and_then(&self, report: impl FnOnce() -> RunReport) -> Result<(), Error> {
        let written = *self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due =
            written.is_none_or(|written| self.clock.now().duration_since(written).as_secs() >= EVERY_SECONDS);
        if self.files.is_empty() || !is_due { Ok(()) } else { self.write(&report()) }
    }
}

/// A run that goes on has written its report, and not that it has ended. Only JSON tells; left over, it would be taken by a merge for
/// the report of this run.
fn may_be_anothers(path: &Path, format: Format) -> bool {
    let has_ended =
        |bytes: &Vec<u8>| RunReport::from_json(bytes).is_ok_and(|report| report.finished.is_some());
    !is_stream(path)
        && path.exists()
        && !(format == Format::Json && std::fs::read(path).is_ok_and(|bytes| has_ended(&bytes)))
}

/// A pipe, `/dev/stdout`: there is nothing to put in its place.
fn is_stream(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir())
}

fn write(report: &RunReport, path: &Path, format: Format) -> Result<(), Error> {
    let bytes = report::write(report, format).map_err(Error::MergeReports)?;
    let failed = |source| Error::WriteFile { path: path.to_owned(), source };
    if is_stream(path) { std::fs::write(path, bytes) } else { files::write(path, &bytes, Existing::Replace) }
        .map_err(failed)
}
