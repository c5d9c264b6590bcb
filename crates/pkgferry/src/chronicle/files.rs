//! The report as files, at every moment.

use crate::clock::SystemClock;
use crate::error::Error;
use jiff::Timestamp;
use pipeline::Clock as _;
use report::{Format, RunReport};
use std::io::Write as _;
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
        let with_format = |path: &PathBuf| Ok((path.clone(), Format::of(path).map_err(Error::Report)?));
        let files = paths.iter().map(with_format).collect::<Result<_, Error>>()?;
        Ok(Self { files, clock, written: Mutex::default() })
    }

    /// Writes all of them. One that fails keeps none of the others back.
    pub fn write(&self, report: &RunReport) -> Result<(), Error> {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now());
        let written = self.files.iter().map(|(path, format)| write(report, path, *format));
        written.fold(Ok(()), Result::and)
    }

    /// Writes them unless that was just done.
    pub fn write_now_and_then(&self, report: impl FnOnce() -> RunReport) -> Result<(), Error> {
        let written = *self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due =
            written.is_none_or(|written| self.clock.now().duration_since(written).as_secs() >= EVERY_SECONDS);
        if self.files.is_empty() || !is_due { Ok(()) } else { self.write(&report()) }
    }
}

/// Writes a report so that its name never stands for half of one.
pub fn write(report: &RunReport, path: &Path, format: Format) -> Result<(), Error> {
    let bytes = report::write(report, format).map_err(Error::Report)?;
    let failed = |source: std::io::Error| Error::WriteReport { path: path.to_owned(), source };
    if is_stream(path) {
        return std::fs::write(path, bytes).map_err(failed);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file =
        tempfile::Builder::new().prefix(".pkgferry-report-").tempfile_in(folder).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    for_everybody(file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A pipe, `/dev/stdout`: there is nothing to put in its place.
fn is_stream(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Temporary files are this user's alone, and a report is to be read.
#[cfg(unix)]
fn for_everybody(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn for_everybody(_file: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
